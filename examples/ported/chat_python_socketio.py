"""A chat with rooms on python-socketio 4, to compare with `chat.py`, which is the same program."""

import os
import threading
import time
from urllib.parse import parse_qs

import socketio
from werkzeug.serving import run_simple

sio = socketio.Server(async_mode="threading", ping_interval=10)


@sio.event
def connect(sid, environ):
    names = parse_qs(environ["QUERY_STRING"]).get("name")
    if names is None:
        raise socketio.exceptions.ConnectionRefusedError("who are you?")
    sio.save_session(sid, {"name": names[-1], "room": None})
    sio.start_background_task(remind, sid)


def remind(sid):
    sio.sleep(0.1)
    sio.emit("reminder", ("be", "kind"), room=sid)


@sio.event
def enter(sid, room):
    with sio.session(sid) as session:
        if session["room"] is not None:
            sio.leave_room(sid, session["room"])
        session["room"] = room
        sio.enter_room(sid, room)
        sio.emit("came", session["name"], room=room, skip_sid=sid)
    return {"room": room}


@sio.event
def say(sid, text):
    session = sio.get_session(sid)
    sio.emit("said", (session["name"], text), room=session["room"])


@sio.event
def measure(sid):
    answered = threading.Event()
    begun = time.monotonic()
    sio.emit("ping me", room=sid, callback=lambda *_: answered.set())
    answered.wait()
    return time.monotonic() - begun


@sio.event
def disconnect(sid):
    session = sio.get_session(sid)
    sio.emit("went", session["name"], room=session["room"])


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "3000"))
    run_simple("127.0.0.1", port, socketio.WSGIApp(sio), threaded=True)
