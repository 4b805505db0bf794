"""In what trio_sio differs from socket.io 4.8.4 on purpose; as `differences` for clients of 2.x."""

from dataclasses import replace

from tests.differential import explanations as how, explanations_5 as how_5
from tests.differential.differences import DIFFERENCES, LIMIT, alone
from trio_sio.conformance.comparison.comparison import Difference
from trio_sio.testing.scripts import Post, Probe, Request, Script, Send

HTTP = "EIO=4&transport=polling"
OF_SESSION = f"{HTTP}&sid={{sid}}"
WEBSOCKET = "EIO=4&transport=websocket"
PROBE = f"{WEBSOCKET}&sid={{sid}}"
_OF_2 = {difference.name: difference for difference in DIFFERENCES}


def also(name: str, example: Script) -> Difference:
    """Return a difference that clients of 2.x meet, too, with an example of this protocol."""
    return replace(_OF_2[name], example=example)


def said(*packets: str, then: str = '42["echo"]') -> Script:
    """Return a script in which a client joins, sends packets, and then another one."""
    joins = Send(0, ("40", "40/chat"))
    return Script(("websocket",), (joins, Send(0, packets), Send(0, (then,))))


DIFFERENCES_5 = (
    also("a refusal says why", alone(Request("GET", f"{HTTP}&sid=unknown"))),
    Difference(
        "a refused POST says why",
        "400 and 413 have no body",
        "it has a sentence, which names the option if there is one",
        "a lost session tells nobody what to change",
        Script(("polling",), (Post(0, b"4" * (LIMIT + 1)),)),
        how_5.why_a_post_is_refused,
    ),
    Difference(
        "a page can read each response",
        "no response has CORS fields, unless `cors` is on, which then refuses nobody",
        "all responses to an origin that is accepted have them, as for clients of 2.x",
        "`origins` is one option, and a gate, for clients of both generations",
        alone(Request("GET", HTTP, (("Origin", "http://a.example"),))),
        how.without_cors,
    ),
    also("a method that is not allowed", Script(("polling",), (Request("PUT", OF_SESSION),))),
    Difference(
        "preflights",
        "OPTIONS is refused as a method, with status 400, for a session with 500, or never"
        " answered",
        "it gets 204, or 200 if `EIO` is not 4, whatever else the query says",
        "pages of accepted origins may send header fields of their own",
        alone(Request("OPTIONS", HTTP, (("Origin", "http://a.example"),))),
        how_5.preflight,
    ),
    Difference(
        "clients of 2.x",
        "`EIO=3`, or none, is refused with code 5, unless `allowEIO3` is on; a WebSocket gets the"
        " bytes of the refusal behind its 101",
        "it is Engine.IO 3; another revision is refused with code 5, before the 101",
        "clients of both generations can connect, and whoever is refused can read why",
        alone(Request("GET", "EIO=3&transport=polling")),
        how_5.of_2,
    ),
    Difference(
        "what is refused first",
        "the revision is looked at last",
        "it is looked at first, if it is none of 3 and 4",
        "all else depends on it",
        alone(Request("GET", "EIO=5&transport=websocket")),
        how_5.revision_first,
    ),
    Difference(
        "JSONP",
        "`j` in the query makes a response a script, in Engine.IO 4 as well",
        "there it is ignored",
        "no client of 3.x or 4.x has JSONP",
        alone(Request("GET", f"{HTTP}&j=0")),
        how_5.jsonp,
    ),
    Difference(
        "why a WebSocket is refused",
        "its handshake is judged first, in the words of the package ws",
        'what the query says is judged first; what is wrong with the handshake comes after "Bad'
        ' Request", in other words',
        "they are the same for clients of 2.x",
        alone(Probe(WEBSOCKET, (), (("Sec-WebSocket-Key", "bad"),))),
        how_5.websocket_handshake,
    ),
    Difference(
        "a client that says `EIO=4` and speaks 3",
        "a PING ends its session",
        "if that is its first packet, it is a client of 2.x from then on",
        "there are such clients, and none of 4.x ever pings",
        alone(Probe(WEBSOCKET, ("2",))),
        how_5.pings_first,
    ),
    Difference(
        "a parameter that is given twice",
        "the last one counts",
        "`transport` may be given once",
        "it is so for clients of 2.x, and in socket.io 2.5.1",
        alone(Request("GET", f"{WEBSOCKET}&transport=polling")),
        how_5.parameter_twice,
        ends=True,
    ),
    also(
        "plain requests for the session of a WebSocket",
        Script(("websocket",), (Request("GET", PROBE),)),
    ),
    also(
        "the last events before the end",
        Script(("polling",), (Send(0, ("40/chat",)), Send(0, ('42/chat,1["ack"]', "41/chat")))),
    ),
    Difference(
        "a namespace that is joined twice at once",
        "each CONNECT is answered, and each makes a socket, of which one is never disconnected",
        "there is one socket, and one answer",
        "a real client can send CONNECT twice",
        Script(("polling",), (Send(0, ("40/chat", "40/chat")),)),
        how.joined_twice,
        ends=True,
    ),
    Difference(
        "a namespace that is joined again",
        "CONNECT ends the session and all its namespaces",
        "it is ignored",
        "a real client can send CONNECT twice",
        said("40/chat"),
        how_5.too_strict,
        ends=True,
        when=how_5.is_joined,
    ),
    Difference(
        "what is late, or early",
        "a packet for a namespace that was left or refused, or is not joined yet, ends the session"
        " and all its namespaces",
        "it is ignored; what is for a namespace that was never asked for ends the session",
        "a DISCONNECT of the server crosses events of its clients",
        said("41/chat", then='42/chat,["echo"]'),
        how_5.too_strict,
        ends=True,
        when=how_5.is_for_others,
    ),
    Difference(
        "names that belong to the library",
        "an event of a client with a reserved name, such as `disconnect`, ends its session",
        "it is ignored",
        "it is so for clients of 2.x, and in socket.io 2.5.1",
        said('42["disconnect","spoof"]'),
        how_5.too_strict,
        ends=True,
        when=how_5.is_reserved,
    ),
    Difference(
        "ids beyond 2**53",
        "an id is rounded, and acknowledged as such",
        "it is exact",
        "no client waits for another id than its own",
        said('4212345678901234567["ack"]'),
        how_5.rounded_id,
    ),
    also("acknowledgements that nobody sends", said('421["burst",0]')),
    also("CLOSE by WebSocket", said("1")),
    also("numbers", said('42["echo",12345678901234567890,1.0]')),
    also("the order of keys that look like numbers", said('42["echo",{"b":1,"1":2}]')),
    also("a space for an id", said('42 ["ack"]')),
    also("ids of many digits", said('4251111111111111111111111["ack"]')),
    also("other protocols in `Upgrade`", alone(Probe(WEBSOCKET, (), (("Upgrade", "foo"),)))),
    also(
        "a session that began by WebSocket",
        Script(("websocket",), (Send(0, ("40",)), Probe(PROBE, ("2probe", "5")))),
    ),
    also(
        "a poll that is held when the client moves",
        Script(("polling",), (Send(0, ("40",)), Probe(PROBE, ("2probe", "5")))),
    ),
)
