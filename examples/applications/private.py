"""Private namespaces: a token of `POST /login` opens its user's own one, until it expires."""

import hashlib
import hmac
import json
import re
import secrets
import time
from pathlib import Path

import trio

import trio_sio

PAGE = Path(__file__).with_name("private.html").read_bytes()
PASSWORDS = {"anna": "blue", "ben": "green"}  # yours are hashed, and in a database
KEY = secrets.token_bytes(32)
LIFETIME = 3.0  # seconds; yours last for minutes


def make_token(user):
    claim = f"{user}.{time.time() + LIFETIME:.3f}"
    return f"{claim}.{sign(claim)}"


def sign(claim):
    return hmac.new(KEY, claim.encode(), hashlib.sha256).hexdigest()


def read_token(token, user):
    """Return the seconds for which a token is good still, or refuse it."""
    claim, _, signature = str(token).rpartition(".")
    if not hmac.compare_digest(signature.encode(), sign(claim).encode()):
        raise trio_sio.ConnectionRefused("this token is not ours")
    owner, _, expires = claim.partition(".")
    if owner != user:
        raise trio_sio.ConnectionRefused("this token is somebody else's")
    left = float(expires) - time.time()
    if left <= 0:
        raise trio_sio.ConnectionRefused("this token has expired")
    return left


async def web(request):
    if request.path == "/":
        return trio_sio.Response(200, [("Content-Type", "text/html; charset=utf-8")], PAGE)
    if (request.method, request.path) != ("POST", "/login"):
        return trio_sio.Response(404)
    try:
        form = json.loads(await request.body(limit=1000))
        user, password = str(form["user"]), str(form["password"])
    except (ValueError, TypeError, KeyError):
        return trio_sio.Response.text(400, 'send {"user": "…", "password": "…"}')
    known = PASSWORDS.get(user)
    if known is None or not hmac.compare_digest(known.encode(), password.encode()):
        return trio_sio.Response.text(403, "wrong name or password")
    no_store = [("Cache-Control", "no-store")]
    return trio_sio.Response(200, no_store, make_token(user).encode())


io = trio_sio.Server(fallback=web)
private = io.of(re.compile(r"/private/(\w+)"))


def owner(socket):
    return socket.namespace.name.removeprefix("/private/")


@private.use
async def check(socket):
    socket.data["left"] = read_token(socket.handshake.query.get("token"), owner(socket))


@private.on("connection")
async def welcome(socket):
    socket.data["expiry"] = trio.CancelScope(deadline=trio.current_time() + socket.data["left"])
    socket.nursery.start_soon(expire, socket)
    await socket.emit("welcome", owner(socket))


async def expire(socket):
    with socket.data["expiry"] as scope:  # `renew` moves its deadline
        await trio.sleep_forever()
    if scope.cancelled_caught:
        await socket.emit("expired")
        await socket.disconnect()


@private.on("renew")
async def renew(socket, token):
    try:
        left = read_token(token, owner(socket))
    except trio_sio.ConnectionRefused as refused:
        return {"error": str(refused)}
    socket.data["expiry"].deadline = trio.current_time() + left
    return {"seconds": round(left)}


@private.on("note")
async def note(socket, text):
    await socket.namespace.emit("noted", text)  # to this user's pages, and nobody else's


if __name__ == "__main__":
    trio_sio.run(io, 3000)
