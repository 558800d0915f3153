// A feed on Node's http: `node examples/servers/node.mjs`, then follow what it prints with
// `cargo run --example tail -- URL`. It drops the connection after every third event, and counts on
// from Last-Event-ID.
import { createServer } from "node:http";

const server = createServer((request, response) => {
  let number = Number(request.headers["last-event-id"] ?? 0);
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.write("retry: 500\n\n");
  const timer = setInterval(() => {
    number += 1;
    const drop = number % 3 === 0;
    const event = `id: ${number}\ndata: ${new Date().toISOString()}\n\n`;
    // What was not written out yet would be lost with the connection.
    response.write(event, () => drop && response.destroy());
  }, 300);
  response.on("close", () => clearInterval(timer));
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
