"""Uploads with their progress: a file comes in pieces, and everybody sees how far each one is."""

import hashlib
import itertools
import tempfile
from pathlib import Path

import trio

import trio_sio

PAGE = Path(__file__).with_name("upload.html").read_bytes()
FOLDER = Path(tempfile.mkdtemp(prefix="uploads-"))
LARGEST = 50_000_000  # bytes
numbers = itertools.count(1)


async def page(request):
    return trio_sio.Response(200, [("Content-Type", "text/html; charset=utf-8")], PAGE)


io = trio_sio.Server(
    fallback=page,
    max_http_buffer_size=1_000_000,  # a piece has 64 kB, and no client is to send more at a time
    max_packet_bytes=1_000_000,
)


class Upload:
    """A file that is about to come."""

    def __init__(self, name, size):
        self.name, self.size, self.done = name, size, 0
        self.path = FOLDER / str(next(numbers))  # never a path that a client has chosen
        self.digest = hashlib.sha256()

    async def append(self, piece):
        self.done += len(piece)
        self.digest.update(piece)
        async with await trio.open_file(self.path, "ab") as file:
            await file.write(piece)

    async def tell(self):
        percent = 100 * self.done // self.size
        await io.volatile.emit("progress", self.path.name, self.name, percent)

    def discard(self):
        self.path.unlink(missing_ok=True)


@io.on("begin")
async def begin(socket, name, size):
    if not isinstance(name, str) or not isinstance(size, int) or not 0 < size <= LARGEST:
        return {"error": f"a file has a name and up to {LARGEST:,} bytes"}
    if "upload" in socket.data:
        return {"error": "one file after the other"}
    socket.data["upload"] = Upload(name[:100], size)
    return {"piece": 65_536}


@io.on("piece")
async def piece(socket, data):
    upload = socket.data.get("upload")
    if upload is None or not isinstance(data, bytes) or upload.done + len(data) > upload.size:
        return {"error": "this piece belongs to no file"}
    await upload.append(data)
    if upload.done < upload.size:
        await upload.tell()
        return {"done": upload.done}
    del socket.data["upload"]
    sha256 = upload.digest.hexdigest()
    await io.emit("uploaded", upload.path.name, upload.name, sha256)
    return {"done": upload.done, "sha256": sha256}


@io.on("disconnect")
async def leave(socket, reason):
    if "upload" in socket.data:  # half a file is of no use
        socket.data["upload"].discard()


if __name__ == "__main__":
    trio_sio.run(io, 3000)
