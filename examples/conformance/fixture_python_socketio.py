"""The application that `trio-sio conformance` needs, on python-socketio 4.

pip install python-socketio==4.6.1 python-engineio==3.14.2 gevent gevent-websocket
python3 fixture_python_socketio.py 3000

Its asyncio server needs a Python before 3.11, so this is the one on gevent.
"""

import sys
from urllib.parse import parse_qs

import socketio
from gevent import pywsgi
from geventwebsocket.handler import WebSocketHandler

sio = socketio.Server(
    async_mode="gevent", ping_interval=1, ping_timeout=1, max_http_buffer_size=100_000
)


class Fixture(socketio.Namespace):
    def on_connect(self, sid, environ):
        query = parse_qs(environ["QUERY_STRING"])
        if self.namespace == "/private" and query.get("token") != ["secret"]:
            raise socketio.exceptions.ConnectionRefusedError("not authorized")
        self.save_session(sid, {"token": query.get("token", [None])[-1]})

    def on_echo(self, sid, *args):
        self.emit("echo", args, room=sid)

    def on_ack(self, sid, *args):
        return args

    def on_ask(self, sid, *args):
        def answered(*answer):
            self.emit("answered", answer, room=sid)

        self.emit("question", args, room=sid, callback=answered)

    def on_burst(self, sid, count):
        for number in range(count):
            self.emit("number", number, room=sid)

    def on_join(self, sid, room):
        self.enter_room(sid, room)

    def on_leave(self, sid, room):
        self.leave_room(sid, room)

    def on_tell(self, sid, room, *args):
        self.emit("told", args, room=room)

    def on_token(self, sid):
        return self.get_session(sid)["token"]

    def on_kick(self, sid):
        self.disconnect(sid)

    def on_close(self, sid):
        self.disconnect(sid)

    def trigger_event(self, event, *args):
        if event == "tell others":
            sid, room, *rest = args
            return self.emit("told", tuple(rest), room=room, skip_sid=sid)
        return super().trigger_event(event, *args)


for name in ("/", "/chat", "/private"):
    sio.register_namespace(Fixture(name))

if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    server = pywsgi.WSGIServer(
        ("127.0.0.1", port), socketio.WSGIApp(sio), handler_class=WebSocketHandler, log=None
    )
    server.start()
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
