"""`static`: the function that serves a folder, and its responses."""

import os
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from mimetypes import MimeTypes
from pathlib import Path

import trio

from trio_sio.http import Request, Response
from trio_sio.static_files.conditions import precondition, wanted_range
from trio_sio.static_files.folder import PIECE, File, FileChanged, Folder

_TYPES = MimeTypes()
"""Python's own table, so that types do not depend on the machine."""
for _type, _suffix in (
    ("text/javascript", ".js"),
    ("text/javascript", ".mjs"),
    ("application/json", ".map"),
    ("application/manifest+json", ".webmanifest"),
    ("application/wasm", ".wasm"),
    ("font/woff2", ".woff2"),
    ("image/webp", ".webp"),
):
    _TYPES.add_type(_type, _suffix)
_IN_UTF_8 = ("application/json", "application/manifest+json", "image/svg+xml")

_ATTEMPTS = 5
"""How often a file is looked for that is replaced again while it is being opened."""

RequestFunction = Callable[[Request], Awaitable[Response]]


def static(
    folder: str | os.PathLike[str],
    *,
    prefix: str = "",
    index: str | None = "index.html",
    max_age: float = 0,
    dot_files: bool = False,
    otherwise: RequestFunction | None = None,
) -> RequestFunction:
    """Return a function that serves the files of a folder, for `Server(fallback=…)`.

    It knows types, `HEAD`, conditional requests (`ETag`, `Last-Modified`) and single byte ranges
    (RFC 9110, 13 and 14). Nothing outside of the folder is served, also where links lead out.

    Args:
        folder: the folder.
        prefix: what the paths of its files begin with, such as "/assets".
        index: the file that a path with a slash at its end stands for, `None` for none.
        max_age: seconds for which browsers use a file without asking whether it has changed.
        dot_files: whether files and folders are served whose names begin with a dot.
        otherwise: answers what is no file here; `None` for a 404.

    Raises:
        NotADirectoryError: `folder` is none.
        ValueError: `prefix` does not begin with a slash, or ends with one.
    """
    root = Path(folder).resolve()
    if not root.is_dir():
        raise NotADirectoryError(f"static: {str(folder)!r} is not a folder")
    if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
        raise ValueError(f"prefix must begin with a slash and not end with one, not {prefix!r}")
    site = Folder(root, prefix, index, dot_files=dot_files)
    kept = ("Cache-Control", f"public, max-age={int(max_age)}")

    async def serve(request: Request) -> Response:
        for _ in range(_ATTEMPTS):
            try:
                return await look(request)
            except FileChanged:
                await trio.lowlevel.checkpoint()
        return Response.text(503, "This file cannot be read at present: it is being replaced.")

    async def look(request: Request) -> Response:
        found = None
        if request.method in ("GET", "HEAD") or otherwise is None:
            try:
                found = await trio.to_thread.run_sync(site.find, request.path)
            except OSError as error:
                reason = error.strerror or "an error"
                return Response.text(503, f"This file cannot be read at present: {reason}.")
        if isinstance(found, str):
            return Response(308, [("Location", found)])
        if found is None:
            if otherwise is not None:
                return await otherwise(request)
            return Response.text(404, "There is no file at this path.")
        if request.method not in ("GET", "HEAD"):
            return Response.text(405, "A file can be read.", [("Allow", "GET, HEAD")])
        return await _respond(request, found, [*_describe(found), kept])

    return serve


def _describe(file: File) -> list[tuple[str, str]]:
    kind, encoding = _TYPES.guess_type(file.path.name)
    if encoding is not None or kind is None:
        kind = "application/octet-stream"
    elif kind.startswith("text/") or kind in _IN_UTF_8:
        kind += "; charset=utf-8"
    return [
        ("Content-Type", kind),
        ("X-Content-Type-Options", "nosniff"),
        ("Accept-Ranges", "bytes"),
        ("ETag", file.etag),
        ("Last-Modified", formatdate(file.second, usegmt=True)),
    ]


async def _respond(request: Request, file: File, fields: list[tuple[str, str]]) -> Response:
    status = precondition(request, file)
    if status == 304:
        return Response(304, fields[3:])
    if status == 412:
        return Response.text(412, "The file is another one by now.")
    wanted = wanted_range(request, file)
    if wanted is None:
        start, size = 0, file.size
        status = 200
    else:
        start, size = wanted
        status = 206
        if size <= 0:
            said = ("Content-Range", f"bytes */{file.size}")
            return Response.text(416, f"The file has {file.size} bytes.", [said])
        said = ("Content-Range", f"bytes {start}-{start + size - 1}/{file.size}")
        fields = [*fields, said]
    fields = [*fields, ("Content-Length", str(size))]
    if request.method == "HEAD":
        return Response(status, fields)
    if size > PIECE:
        return Response(status, fields, file.pieces(start, size))
    content = await trio.to_thread.run_sync(file.read, start, size)
    return Response(status, [*fields[:-1], ("Content-Length", str(len(content)))], content)
