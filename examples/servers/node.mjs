// A feed with Node's http. Run `node examples/servers/node.mjs`, then follow the URL that it prints with
// `cargo run --example tail -- URL`. It drops the connection after every third event, and continues
// after Last-Event-ID.
import { createServer } from "node:http";

const server = createServer((request, response) => {
  let number = Number(request.headers["last-event-id"] ?? 0);
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.write("retry: 500\n\n");
  const timer = setInterval(() => {
    number += 1;
    const drop = number % 3 === 0;
    const event = `id: ${number}\ndata: ${new Date().toISOString()}\n\n`;
    // Destroy the connection only after the event was written; otherwise it would be lost.
    response.write(event, () => drop && response.destroy());
  }, 300);
  response.on("close", () => clearInterval(timer));
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
