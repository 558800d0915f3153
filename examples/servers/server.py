"""A feed with Python's http.server. Run `python3 examples/servers/server.py`, then follow the URL that it
prints with `cargo run --example tail -- URL`. It ends the response after every third event, and
continues after Last-Event-ID."""

import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Feed(BaseHTTPRequestHandler):
    def do_GET(self):
        number = int(self.headers.get("Last-Event-ID", 0))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"retry: 500\r\n: hello\r\n\r\n")
        for number in range(number + 1, number + 4):
            time.sleep(0.3)
            self.wfile.write(f"id: {number}\r\ndata: {time.ctime()}\r\n\r\n".encode())

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 0))), Feed)
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
