"""What clients hear, without what is by chance: ids, dates, and an order that nobody promises."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from trio_sio.protocol.engineio.packet import decode_text
from trio_sio.testing.wire import PacketText
from trio_sio.testing.wire_http import WireResponse

FIELDS = (
    "content-type",
    "content-encoding",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "set-cookie",
    "x-xss-protection",
    "upgrade",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
)
"""Header fields of responses that mean something to a client."""

SHOWN = 300
"""Characters of one packet or body that are kept, and its length."""

Heard = dict[str, list[str]]
"""What one client heard in one step: by namespace its events in their order, and besides "acks",
in the order of their ids, "engine": other packets, and "end"."""

ID = re.compile(r'^(40(?:/[^,]*,)?\{.*?"sid":")([^"<]+)"', re.DOTALL)
"""CONNECT of a server of protocol 5, and the id of a socket in it."""

_SOCKETIO = re.compile(r"4([0-6])(?:(\d+)-)?(?:(/[^,]*)(?:,|$))?(\d*)", re.DOTALL)


def hide(text: str, names: Mapping[str, str]) -> str:
    """Return text with names in place of session ids, cut to a length that can be shown."""
    for found, name in names.items():
        text = text.replace(found, name)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)})"


def sort(packets: Iterable[PacketText], names: Mapping[str, str], protocol: int = 4) -> Heard:
    """Return what a client heard of these packets of Engine.IO.

    Args:
        packets: the packets.
        names: stands for session ids.
        protocol: the revision of Socket.IO.
    """
    heard: defaultdict[str, list[str]] = defaultdict(list)
    acks: list[tuple[str, int, list[str]]] = []
    rest: list[str] = []
    due = 0
    for packet in packets:
        text = _written(packet, names)
        head = socketio_head(packet, protocol)
        if due and head is None:
            rest.append(text)
            due -= 1
        elif head is None:
            heard["engine"].append(_opening(text))
        elif head.kind in "36":
            rest, due = [text], head.attachments
            acks.append((head.namespace, int(head.ack_id or -1), rest))
        else:
            rest, due = heard[head.namespace], head.attachments
            rest.append(ID.sub(r'\1<id>"', head.without_id(text)))
    if acks:
        acks.sort(key=lambda ack: ack[:2])
        heard["acks"] = [text for _, _, texts in acks for text in texts]
    return dict(heard)


class Head:
    """The beginning of a packet of Socket.IO.

    Attributes:
        kind: the digit of its type.
        attachments: how many messages follow.
        namespace: such as "/".
        ack_id: digits, or "".
    """

    def __init__(self, match: re.Match[str], protocol: int) -> None:
        self.kind = match[1]
        self.attachments = int(match[2] or 0) if match[1] in "56" else 0
        name: str = match[3] or "/"
        self.namespace = name.partition("?")[0] if protocol == 4 else name  # 5 has no queries
        self.ack_id = match[4]
        self._id_at = match.span(4)

    def without_id(self, text: str) -> str:
        """Return the packet's text with "#" for its id, which counts what others were asked."""
        start, end = self._id_at
        return f"{text[:start]}#{text[end:]}" if start < end else text


def socketio_head(packet: PacketText, protocol: int = 4) -> Head | None:
    """Return how a packet of Socket.IO begins, `None` for another packet."""
    match = _SOCKETIO.match(packet) if isinstance(packet, str) else None
    return Head(match, protocol) if match else None


def described(response: WireResponse, names: Mapping[str, str]) -> list[str]:
    """Return what a response says."""
    lines = [f"status {response.status}"]
    for name in FIELDS:
        lines += [f"{name}: {hide(value, names)}" for value in response.headers.get_all(name)]
    if "content-encoding" not in response.headers:
        lines.append(hide(response.body.decode("utf-8", "backslashreplace"), names))
    return lines


def _written(packet: PacketText, names: Mapping[str, str]) -> str:
    return hide(packet if isinstance(packet, str) else repr(packet), names)


def _opening(text: str) -> str:
    """Return OPEN with its members sorted, which have no order."""
    if text[:1] != "0":
        return text
    try:
        opening = json.loads(str(decode_text(text).data))
        if not opening["sid"].startswith("<"):
            opening["sid"] = "<new>"
        return "0" + json.dumps(opening, sort_keys=True)
    except (ValueError, TypeError, KeyError, AttributeError):
        return text
