"""Checks of packets that all parsers share."""

from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.packet import JSON, PacketType

MAX_ID_DIGITS = 19
"""Ids count upwards; one that does not fit 64 bits is not accepted."""

MAX_ID = 10**MAX_ID_DIGITS - 1

_SHOWN = 10
"""Digits of a number that an error shows."""


def check_namespace(name: object) -> str:
    """Return the name of a namespace, with the query that a CONNECT may carry.

    Raises:
        RemoteProtocolError: it is not a name, or not one that the default parser could send.
    """
    if isinstance(name, str) and name.startswith("/") and "," not in name.partition("?")[0]:
        return name
    if isinstance(name, str):
        raise RemoteProtocolError(
            "invalid namespace", "a name that does not begin with '/', or contains ','"
        )
    raise RemoteProtocolError("invalid namespace", excerpt(name))


def check_id(number: object) -> int:
    """Return an acknowledgement id; raises `RemoteProtocolError`."""
    if isinstance(number, float) and number.is_integer():
        number = int(number)  # JavaScript has one kind of number
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= MAX_ID:
        return number
    raise RemoteProtocolError("invalid packet id", excerpt(number))


def is_event(data: JSON) -> bool:
    """Whether data is an event's: its name, a string or a number, and any arguments."""
    if not isinstance(data, list) or not data:
        return False
    name = data[0]
    if isinstance(name, str):
        return True
    if isinstance(name, bool) or not isinstance(name, (int, float)):
        return False
    return name - name == 0  # neither NaN nor infinite


def refuse_payload(kind: PacketType, data: JSON) -> RemoteProtocolError:
    """Return the error for data that a packet of its type cannot have."""
    return RemoteProtocolError("invalid payload", f"{kind.name} with {excerpt(data)}")


def excerpt(data: object) -> str:
    """Describe a value briefly; the text of strings, which clients choose, is not shown."""
    if isinstance(data, list) and data:
        return f"a list that begins with {excerpt([] if isinstance(data[0], list) else data[0])}"
    if isinstance(data, float) or data is None or isinstance(data, bool):
        return repr(data)
    if isinstance(data, int) and abs(data) < 10**_SHOWN:
        return repr(data)
    return f"a {type(data).__name__}"
