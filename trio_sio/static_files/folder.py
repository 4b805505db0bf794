"""Finds files below a folder, whatever a path says.

Each part of a path is decoded by itself, and symbolic links are followed before it is looked where
they lead.
"""

import errno
import os
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self
from urllib.parse import quote, unquote_to_bytes

import trio

_FLAGS = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _FLAGS |= getattr(os, _name, 0)  # a pipe that has taken the file's place must not be waited for

PIECE = 64 * 1024
"""Bytes that are read at a time; a file of no more is read as a whole."""

_OVERLOADED = frozenset({errno.ENFILE, errno.EMFILE, errno.ENOMEM, errno.EIO})
"""What may be over the next time."""


class FileChanged(Exception):
    """Another file has taken the place of the one that was found; a head that is sent is wrong."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that was found.

    Attributes:
        path: where it is, links followed.
        size: its bytes.
        modified: when, in nanoseconds since the epoch.
        identity: its device and its number there.
    """

    path: Path
    size: int
    modified: int
    identity: tuple[int, int]

    @classmethod
    def of(cls, path: Path, status: os.stat_result) -> Self:
        """Return a file as it is now."""
        identity = (status.st_dev, status.st_ino)
        return cls(path, status.st_size, status.st_mtime_ns, identity)

    @property
    def etag(self) -> str:
        """The validator of the content (RFC 9110, 8.8.3)."""
        return f'"{self.modified:x}-{self.size:x}"'

    @property
    def second(self) -> int:
        """When it was modified, as precisely as HTTP can say it."""
        return self.modified // 1_000_000_000

    def open(self, start: int) -> BinaryIO:
        """Open the file at a place in its content; waits for the disk.

        Raises:
            FileChanged: it is another one than the one that was found, whose head would be wrong.
        """
        try:
            file = os.fdopen(os.open(self.path, _FLAGS), "rb")
        except OSError as error:
            raise FileChanged from error
        if File.of(self.path, os.fstat(file.fileno())) != self:
            file.close()
            raise FileChanged
        file.seek(start)
        return file

    def read(self, start: int, size: int) -> bytes:
        """Return a part of the content; raises as `open`."""
        with self.open(start) as file:
            return file.read(size)

    async def pieces(self, start: int, size: int) -> AsyncIterator[bytes]:
        """Yield a part of the content, read in threads; raises as `open`."""
        file = await trio.to_thread.run_sync(self.open, start)
        try:
            while piece := await trio.to_thread.run_sync(file.read, min(PIECE, size)):
                size -= len(piece)
                yield piece
        finally:
            file.close()


class Folder:
    """Finds the files below a folder; its methods are called in threads.

    Args:
        root: the folder, links followed.
        prefix: what the paths of its files begin with.
        index: the file that a path with a slash at its end stands for, `None` for none.
        dot_files: whether names may begin with a dot.
    """

    def __init__(self, root: Path, prefix: str, index: str | None, *, dot_files: bool) -> None:
        self._root = root
        self._prefix = prefix
        self._index = index
        self._dot_files = dot_files

    def find(self, path: str) -> File | str | None:
        """Return the file that a path stands for; a path to go to instead; `None` for neither.

        Raises:
            OSError: it is there, and cannot be looked at for now.
        """
        if not path.startswith(self._prefix + "/"):
            return None
        *folders, name = path[len(self._prefix) + 1 :].split("/")
        if not name:
            if self._index is None:
                return None
            name = quote(self._index)
        parts = [unquote_to_bytes(part) for part in (*folders, name)]
        if not all(map(self._is_name, parts)):
            return None
        try:
            found = self._root.joinpath(*(part.decode() for part in parts)).resolve(strict=True)
            if not found.is_relative_to(self._root) or not self._may_be_seen(found):
                return None
            status = found.stat()
        except (UnicodeDecodeError, ValueError, RuntimeError):
            return None  # no name of a file; links in a circle
        except OSError as error:
            if error.errno in _OVERLOADED:
                raise
            return None
        if stat.S_ISDIR(status.st_mode) and self._index is not None and not path.endswith("/"):
            return path + "/"
        if not stat.S_ISREG(status.st_mode) or not os.access(found, os.R_OK):
            return None
        return File.of(found, status)

    def _is_name(self, part: bytes) -> bool:
        """Whether a part of a path can only mean a name in a folder, on each system."""
        if part in (b"", b".", b"..") or any(one in part for one in (b"/", b"\\", b"\0")):
            return False
        if os.name == "nt" and b":" in part:  # drives, and streams of files
            return False
        return self._dot_files or not part.startswith(b".")

    def _may_be_seen(self, found: Path) -> bool:
        """Whether a link leads to what could be asked for itself."""
        parts = found.relative_to(self._root).parts
        return self._dot_files or not any(part.startswith(".") for part in parts)
