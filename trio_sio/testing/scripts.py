"""Scripts: what clients do to a server step by step, right or wrong, byte by byte.

A conversation (`trio_sio.testing.conversations`) has well-behaved clients, and a model knows what
they hear. A script's clients do anything, so that two servers can be compared by it: see
`trio_sio.conformance.comparison`.
"""

from dataclasses import dataclass

from trio_sio.testing.wire import PacketText

SID = "{sid}"
"""Stands for the id of the first client's session in the query of a request."""


ASKED = "{ack}"
"""Stands in a packet that is sent for the id of the acknowledgement that was asked for last."""


@dataclass(frozen=True, slots=True)
class Send:
    """A client sends packets of Engine.IO as they are: in one POST, or each in a frame.

    Attributes:
        client: its number.
        packets: what is sent.
    """

    client: int
    packets: tuple[PacketText, ...]


@dataclass(frozen=True, slots=True)
class Post:
    """A client of long polling posts a body as it is.

    Attributes:
        client: its number.
        body: the body.
        content_type: how it is declared.
    """

    client: int
    body: bytes
    content_type: str = "text/plain;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Frame:
    """A client of WebSocket sends one frame as it is.

    Attributes:
        client: its number.
        opcode: such as 1 for text.
        payload: what is in it.
        fin: whether it ends a message.
        rsv: the three reserved bits.
        masked: whether it is masked, which it must be.
    """

    client: int
    opcode: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0
    masked: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody sends an HTTP request on a connection of its own.

    Attributes:
        method: such as "GET".
        query: what stands behind "?"; `SID` in it is the first client's session id.
        headers: header fields.
        body: the body.
    """

    method: str
    query: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Probe:
    """Somebody opens a WebSocket, sends packets and leaves it open.

    Attributes:
        query: as of a request.
        packets: what is sent.
        headers: header fields that replace those of a good handshake or are added.
    """

    query: str
    packets: tuple[PacketText, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A client of long polling goes on by WebSocket, as JavaScript's client does.

    Attributes:
        client: its number.
        between: packets that it posts when its probe was answered.
    """

    client: int
    between: tuple[PacketText, ...] = ()


@dataclass(frozen=True, slots=True)
class Leave:
    """A client drops its connections without a word.

    Attributes:
        client: its number.
    """

    client: int


Step = Send | Post | Frame | Request | Probe | Upgrade | Leave


@dataclass(frozen=True, slots=True)
class Script:
    """Who is there, and what they do.

    Attributes:
        transports: of each client: "polling", "polling-base64", "polling-jsonp", "websocket" or
            "websocket-base64".
        steps: one after the other; after each, everybody hears what there is to hear.
    """

    transports: tuple[str, ...]
    steps: tuple[Step, ...]
