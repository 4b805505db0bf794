"""In what trio_sio differs from socket.io 2.5.1 on purpose; `docs/differences.md` lists it.

Each has an example, in which it must be met; and it is met only where both servers do exactly what
it says.
"""

from tests.differential import explanations as how
from trio_sio.conformance.comparison.comparison import Difference
from trio_sio.testing.scripts import ASKED as ASKED, Post, Probe, Request, Script, Send

HTTP = "EIO=3&transport=polling"
OF_SESSION = f"{HTTP}&sid={{sid}}"
WEBSOCKET = "EIO=3&transport=websocket"
PROBE = f"{WEBSOCKET}&sid={{sid}}"
LIMIT = 100_000


def alone(*steps: Request | Probe) -> Script:
    """Return a script without sessions."""
    return Script((), steps)


def said(*packets: str | bytes, by: str = "websocket") -> Script:
    """Return a script in which one client sends packets, and then is heard."""
    return Script((by,), (Send(0, packets), Send(0, ('42["echo"]',))))


DIFFERENCES = (
    Difference(
        "a refusal says why",
        "the body has a code and a message",
        'it has `"detail"`, too, and that of a refused WebSocket a second line: what was seen, and'
        " what is accepted",
        "whoever cannot connect finds out without the server's log",
        alone(Request("GET", f"{HTTP}&sid=unknown")),
        how.without_detail,
    ),
    Difference(
        "a page can read each response",
        "responses to JSONP, and those of status 403 and 500, have no CORS fields",
        "all responses to an origin that is accepted have them",
        "a page can tell its user what went wrong",
        alone(Request("GET", f"{HTTP}&j=0")),
        how.without_cors,
    ),
    Difference(
        "a method that is not allowed",
        "PUT, DELETE and HEAD for a session get status 500",
        "they get 405",
        "the request is wrong, not the server",
        Script(("polling",), (Request("PUT", OF_SESSION),)),
        how.method_not_allowed,
    ),
    Difference(
        "preflights",
        "OPTIONS without a session gets status 400, for a session by JSONP 500; otherwise it has"
        " the session's cookie",
        "it gets 200 whatever the query says, and no cookie",
        "a browser shows its page why a request is refused only if the preflight was accepted",
        alone(Request("OPTIONS", HTTP, (("Origin", "http://a.example"),))),
        how.preflight,
    ),
    Difference(
        "revisions of the protocol",
        "a client gets a session of Engine.IO 3, whatever `EIO` says",
        "`EIO=4` is Engine.IO 4, and what is neither 3 nor 4 is refused with code 5",
        "clients of Socket.IO 3 and 4 can connect, and users of others learn why they cannot",
        alone(Request("GET", "EIO=5&transport=polling")),
        how.other_revision,
    ),
    Difference(
        "plain requests for the session of a WebSocket",
        "`transport=websocket` without an upgrade is never answered",
        "it gets status 400, code 3",
        "each request gets an answer",
        Script(("websocket",), (Request("GET", PROBE),)),
        how.unanswered,
        ends=True,
    ),
    Difference(
        "bodies that are too large",
        "the connection is closed without an answer",
        "it gets status 413 and a sentence that names the option",
        "a lost connection tells nobody what to change",
        Script(("polling",), (Post(0, b"x" * (LIMIT + 1)),)),
        how.too_large,
        ends=True,
    ),
    Difference(
        "the last events before the end",
        "what a client sends in the same POST as, or right in front of, a DISCONNECT or what ends"
        " the session is lost",
        "it reaches the application",
        "it was sent in time",
        Script(("polling",), (Send(0, ("40/chat",)), Send(0, ('42/chat,1["ack"]', "41/chat")))),
        how.last_events,
        ends=True,
    ),
    Difference(
        "the first events behind a CONNECT",
        "events that arrive together with the CONNECT of their namespace are lost: it is not joined"
        " yet",
        "they wait until it is joined, and reach the application",
        "they came in the right order",
        Script(("polling",), (Send(0, ("40/chat", '42/chat,["echo"]')),)),
        how.first_events,
        ends=True,
    ),
    Difference(
        "a namespace that is joined twice at once",
        "each CONNECT is answered, and each makes a socket",
        "those that come while the first is decided are answered together",
        "a client has one socket in a namespace",
        said("40/chat", "40/chat"),
        how.joined_twice,
        ends=True,
    ),
    Difference(
        "a namespace that is joined again",
        "CONNECT is answered, and makes a second socket of the same id",
        "it is ignored",
        "a client has one socket in a namespace",
        Script(("polling",), (Send(0, ("40/chat",)), Send(0, ("40/chat",)))),
        how.joined_again,
        ends=True,
        when=how.has_joined,
    ),
    Difference(
        "payloads that are damaged",
        "lengths may have signs, blanks or exponents, and a packet that was cut is shortened",
        "each of these ends the session, as other damage does in both",
        "what was cut or changed on its way must not look whole",
        Script(("polling",), (Post(0, b"\x00\x05\xff42", "application/octet-stream"),)),
        how.damaged_payload,
        ends=True,
    ),
    Difference(
        "acknowledgements that nobody sends",
        "a client that asks for one gets it if the handler calls the function for it, which is the"
        " last argument",
        "it gets one from each handler: what that returns",
        "an answer that is forgotten leaves the client waiting for ever",
        said('421["burst",0]'),
        how.unasked_acks,
    ),
    Difference(
        "CLOSE by WebSocket",
        "the packet `1` of a client is ignored",
        "it ends the session, as by polling",
        "the client has said that it leaves",
        said("1"),
        how.close_by_websocket,
        ends=True,
    ),
    Difference(
        "numbers",
        "all are floating-point: integers beyond 2**53 are rounded, and 1.0 is written as 1",
        "integers are exact, and floats stay floats",
        "Python's numbers are more than JavaScript's",
        said('42["echo",12345678901234567890,1.0]'),
        how.numbers,
    ),
    Difference(
        "the order of keys that look like numbers",
        "objects have them first, in the order of the numbers",
        "objects keep the order in which their keys came",
        "JSON has no order, and a Python dict has this one",
        said('42["echo",{"b":1,"1":2}]'),
        how.order_of_keys,
    ),
    Difference(
        "the name in a refusal of a namespace",
        "the name of an unknown namespace comes back as a URL's path: escaped, normalised, with no"
        " fragment",
        "it comes back as it was sent, without its query",
        "the client finds its own name again",
        said("40/a b"),
        how.unknown_namespace,
    ),
    Difference(
        "a space for an id",
        "it is 0, so that a space in front of the JSON asks for an acknowledgement",
        "it is part of the JSON",
        "an id has digits",
        said('42 ["ack"]'),
        how.space_for_id,
        ends=True,
    ),
    Difference(
        "ids of many digits",
        "an id is rounded, and acknowledged as such as 5.1e+22",
        "one of over 19 digits ends the session",
        "no client waits for another id than its own",
        said('4251111111111111111111111["ack"]'),
        how.long_id,
        ends=True,
    ),
    Difference(
        "other protocols in `Upgrade`",
        "whatever the field says, the request is one for a WebSocket, and refused as such",
        "a field that does not name `websocket` is ignored, as RFC 9110 has it",
        "proxies and clients offer other protocols, such as h2c",
        alone(Probe(WEBSOCKET, (), (("Upgrade", "foo"),))),
        how.other_upgrade,
    ),
    Difference(
        "a session that began by WebSocket",
        "another WebSocket that knows its id takes it over",
        "the other one is closed",
        "whoever sees an id, in a log of URLs, could take the session",
        Script(("websocket",), (Probe(PROBE, ("2probe", "5")), Send(0, ('42["echo"]',)))),
        how.takeover,
        ends=True,
    ),
    Difference(
        "a poll that is held when the client moves",
        "it is answered with CLOSE",
        "it is refused with status 400, code 3",
        "another client may take CLOSE for the end of the session",
        Script(("polling",), (Probe(PROBE, ("2probe", "5")),)),
        how.poll_behind_upgrade,
        ends=True,
    ),
)
