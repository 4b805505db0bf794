"""What clients of scripts say, in each revision of the protocol: good packets and odd ones.

The words are for the application that `docs/conformance.md` describes.
"""

from dataclasses import dataclass

from trio_sio.testing.scripts import ASKED, SID
from trio_sio.testing.wire import PacketText


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is said in one revision.

    Attributes:
        protocol: the revision of Socket.IO.
        transports: what clients talk by.
        beginnings: what a client sends first; one of them is drawn, if there are any.
        namespaces: where events go.
        connects: how clients join and leave.
        odd: texts that few clients send, or none.
        binary: the same of binary packets.
        good: how many of the packets that are sent at once are good ones, for each that may be odd.
        versions: what requests say of their revision.
        more: what else is in a query.
        types: how a body is declared.
        bodies: bodies of requests that belong to nobody's session.
    """

    protocol: int
    transports: tuple[str, ...]
    beginnings: tuple[tuple[PacketText, ...], ...]
    namespaces: tuple[str, ...]
    connects: tuple[str, ...]
    odd: tuple[str, ...]
    binary: tuple[bytes, ...]
    good: int
    versions: tuple[str, ...]
    more: tuple[str, ...]
    types: tuple[str, ...]
    bodies: tuple[bytes, ...]

    @property
    def eio(self) -> int:
        """The revision of Engine.IO."""
        return self.protocol - 1

    @property
    def own_upgrade(self) -> str:
        """The query by which the first client upgrades."""
        return f"EIO={self.eio}&transport=websocket&sid={SID}"


_PLACEHOLDER = '{"_placeholder":true,"num":0}'

_EVENTS = (
    *('42["a"', '42["a"]z', '42["a"] ', '42"a"', "42", "425", "42[]", "42{}", "42[null]"),
    *("42[true]", '45["x"]', "45-[]", '450-["echo"]', "45a-", '451.5-["x"]', '4511-["x"]'),
    *('4510-["x"]', '451-["echo",{"_placeholder":true,"num":1}]', '451-["echo",1]'),
    *(
        '451-["echo",{"_placeholder":true,"num":-1}]',
        '451-["echo",{"_placeholder":true,"num":"0"}]',
    ),
    *('451-/chat,["echo",1]', f'451-["echo",{_PLACEHOLDER},{_PLACEHOLDER}]', "451-", "461-[]"),
    *('42/chat["echo"]', '42/nobody,["echo"]', "42/chat,", "439[]", "43[]", '43["z"]', '430"z"'),
    *(f"43{ASKED}[1]", f"43/chat,{ASKED}[1]", f"43{ASKED}", f'43{ASKED}["é"]', f"43{ASKED}{{}}"),
    *('42["disconnect","spoof"]', '42["disconnecting"]', '42["connect"]', '42["newListener"]'),
    *('42["removeListener"]', '42["connection"]', '421["disconnect"]', '42["__proto__"]'),
    *(
        '42["error",1]',
        '42["constructor",1]',
        '42[1,"z"]',
        '42[""]',
        '42["nobody hears"]',
        '420["nobody hears"]',
    ),
    *('42/chat,["disconnect"]', '42["echo",{"__proto__":1}]', "42\ufeff[]"),
)

_ENGINE = ("2", "2x", "2probe", "3", "3probe", "5", "6", "0{}", "1", "", "7", "x", "b", "bx", "4")

SAYS_4 = Vocabulary(
    protocol=4,
    transports=(
        *("polling", "polling-base64", "polling-jsonp"),
        *("websocket", "websocket-base64"),
    ),
    beginnings=(),
    namespaces=("/", "/chat", "/private", "/nobody"),
    connects=(
        *("40/chat", "40/chat,", "40/private", "40/private?token=secret"),
        *("40/private?token=no,", "40/nobody", "40/nobody?a=1,", "40", "40/"),
        *("40/chat?a=b&c=%2C,", "40/chat/", "40//chat"),
        *("41", "41/chat", "41/private,", "41/nobody", "41/chat,"),
    ),
    odd=(
        *_ENGINE,
        *("b4", "b4AQI=", "b9AQI=", "47", "4x", "41{}", "40admin", '40/chat,"s"', "40null"),
        *('44"err"', "44{}", "44", "44[]", "441", '44/chat,"err"', '44/nobody,"e"', "44null"),
        *_EVENTS,
    ),
    binary=(
        *(b"", b"\x00", b"\x01", b"\x02", b"\x02probe", b"\x04", b"\x04abc", b"\x05", b"\x07"),
        b"4x",
    ),
    good=3,
    versions=("EIO=3", "EIO=3", "EIO=3", "EIO=5", "", "EIO=2", "EIO=x"),
    more=("", "", "j=0", "j=", "b64=1", "b64=", "t=abc", "transport=polling"),
    types=(
        *("text/plain;charset=UTF-8", "application/octet-stream"),
        *("application/x-www-form-urlencoded", "application/octet-stream; charset=UTF-8"),
        *("application/json", ""),
    ),
    bodies=(b"", b"1:2", b"1:6", b"x", b"d=1%3A2", b"\x00\x01\xff2"),
)

SAYS_5 = Vocabulary(
    protocol=5,
    transports=("polling", "polling-base64", "websocket", "websocket-base64"),
    beginnings=(
        ("40", "40/chat,", '40/private,{"token":"secret"}'),
        ('40{"token":"secret"}', "40/chat", '40/private,{"token":"no"}'),
        ("40/chat,", '40{"é":[1]}', '40/private,{"token":"secret","x":null}'),
        ("40",),
        ("40/nobody,", '40/private,{"token":"secret"}', "40/chat,{}"),
    ),
    namespaces=("/", "/", "/chat", "/chat", "/private", "/private", "/nobody"),
    connects=(
        *("40", "40{}", '40{"token":"secret"}', "401", "40/", "40/chat", "40/chat,", "40/private,"),
        *(
            '40/private,{"token":"secret"}',
            '40/private,{"token":"no"}',
            '40/private,{"token":null}',
        ),
        *('40/nobody,{"a":1}', "40/nobody", "40/chat?token=secret,", "40/CHAT,", "40/chat/,"),
        *("40//chat,", "40/a b,", "40/ch%61t,", "40/é#f,"),
        *("41", "41/chat", "41/private,", "41/chat,"),
    ),
    odd=(
        *_ENGINE,
        *("bAQI=", "b-_8", "b!", "4a", "47", "4x", "4-1", "41{}", "41/nobody", "40admin", "40null"),
        *("40[1]", '40/chat,"s"', "40true", '40{"a":', '40{"a":1}x', "40/,", '40/chat,7{"a":1}'),
        *('44"err"', "44{}", "44", '44/chat,{"message":"m"}', '44/nobody,{"message":"m"}'),
        *_EVENTS,
        *('42["connect_error"]', f'451-["connect_error",{_PLACEHOLDER}]', '42["x",NaN]'),
        *('42-1["ack"]', '421e3["ack"]', '42[["x"]]', '42 5["ack"]', f"460-{ASKED}[1]"),
        *('42[1.5,"x"]', f'42{ASKED}999999999999999["ack",1]'),
    ),
    binary=(b"", b"\x00", b"\x04abc", b"4x", b"bAQI="),
    good=9,
    versions=("EIO=4", "EIO=4", "EIO=4", "EIO=4", "EIO=3", "EIO=5", "", "EIO=x", "EIO=%34"),
    more=("", "", "j=0", "b64=1", "t=abc", "transport=polling"),
    types=(
        *("text/plain;charset=UTF-8", "text/plain;charset=UTF-8", "application/octet-stream"),
        *("application/octet-stream; charset=UTF-8", "application/json", ""),
    ),
    bodies=(b"", b"40", b"6", b"x", b"40\x1e40", b"b!"),
)


def says_of(protocol: int) -> Vocabulary:
    """Return what is said in a revision of Socket.IO."""
    return SAYS_4 if protocol == 4 else SAYS_5
