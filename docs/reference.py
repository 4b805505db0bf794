"""What the reference leaves out of docstrings: what is there for the package alone.

The table of the API, docs/javascript-api.md, says what is public: an attribute of a socket is, if
`socket.` and its name are there. The parameters of a class are left out where applications do not
make instances themselves.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

TABLE = Path(__file__).with_name("javascript-api.md").read_text("utf-8")

CALLED = {
    "Server": "io",
    "Namespace": "namespace",
    "ParentNamespace": "parent",
    "Broadcast": "target",
    "Answers": "answers",
    "RemoteSocket": "remote",
    "Socket": "socket",
    "Client": "client",
    "Handshake": "handshake",
    "Session": "session",
    "Engine": "engine",
    "MemoryAdapter": "adapter",
    "RedisAdapter": "redis",
    "RedisEmitter": "emitter",
}
"""How the table calls an instance of each class."""

MADE_BY_APPLICATIONS = {"Server", "Engine", "RedisAdapter", "RedisEmitter"}


class PublicOnly(griffe.Extension):
    """An extension of Griffe, which reads the docstrings."""

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:  # noqa: ANN401 - Griffe's
        """Shorten the docstring of a class, before it is parsed."""
        if cls.name in CALLED and cls.docstring is not None:
            cls.docstring.value = public(cls.docstring.value, cls.name)


def public(docstring: str, name: str) -> str:
    """Return the docstring of a class without what is there for the package alone."""
    names = set(re.findall(rf"\b{CALLED[name]}\.(\w+)", TABLE))
    kept = []
    for section in docstring.split("\n\n"):
        title, _, body = section.partition("\n")
        if title == "Args:" and name not in MADE_BY_APPLICATIONS:
            continue
        if title == "Attributes:":
            body = "\n".join(text for one, text in _items(body) if one in names)
            section = f"{title}\n{body}" if body else ""
        kept.append(section)
    return "\n\n".join(filter(None, kept))


def _items(body: str) -> Iterator[tuple[str, str]]:
    """Yield the items of a section: the name, and all lines of each."""
    for text in re.split(r"\n(?=    \w)", body):
        yield text.strip().partition(":")[0], text
