"""What strangers publish on a cluster's channels ends nothing: it is counted, and traffic goes on.

Nodes of Node.js end at bytes that are not MessagePack, so there are none here.
"""

import json
import random
from collections.abc import Iterator

import msgpack
import pytest

from tests.cluster.clients import Client, Crowd, Hearing
from tests.cluster.nodes import Cluster, Node, cluster
from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow]

KEY = "garbage"
_ANY = random.Random(4)

EVENT: dict[str, object] = {"type": 2, "data": ["news", "forged"], "nsp": "/"}


def packets(key: str, *values: object) -> list[object]:
    return [["uid", {**EVENT, key: value}, {}] for value in values]


def options(key: str, *values: object) -> list[object]:
    return [["uid", EVENT, {"rooms": ["nobody"], key: value}] for value in values]


SHAPES: list[object] = [
    *(None, True, 0, -1, 1.5, "", "text", b"", [], {}, {"a": 1}),
    *(["uid"], ["uid", None], ["uid", None, None], ["uid", 5, {}], ["uid", [], []]),
    *([1, EVENT, {}], [None, EVENT, {}], [[], EVENT, {}]),
    *(["uid", EVENT, 1], ["uid", EVENT, "rooms"], ["uid", EVENT, [1]], ["uid", EVENT, b"x"]),
    *packets("type", -1, 0, 1, 3, 4, 7, 2**63, None, "2", [2]),
    *packets("data", None, 1, "news", {}, [], [1], [None]),
    *packets("nsp", 1, [], {}, b"/"),
    *options("rooms", 1, "room", {"a": 1}, [1], [None], [[]]),
    *options("except", 1, "id", {"a": 1}, [1], [None], [{}]),
    *options("flags", 1, "volatile", [1]),
]
"""MessagePack that is no broadcast, or one to nobody."""

_DEEP = 100_000
BYTES = [
    *(b"", b"\0", b"\xc1", b"\x93", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff"),
    *(b"\x93\xa3uid", b"\xc6\xff\xff\xff\xff", b"\x91" * _DEEP, b"\x81\xa0" * _DEEP),
    b"\xd9\xff" + b"\xff" * 255,
    *(_ANY.randbytes(_ANY.randrange(200)) for _ in range(200)),
]
"""What is not MessagePack, or claims to be large or deep."""


def asking(**members: object) -> bytes:
    return json.dumps({"requestid": "a", **members}).encode()


KINDS: list[object] = [-1, 7, 1.5, None, "0", [], True, 10**30]
IDS: list[object] = [None, 1, "", [], {}]
ROOMS: list[object] = [1, "a", {}, [1], [[]]]


REQUESTS = [
    *(b"", b"\xff", b"{", b"null", b"1", b'"text"', b"[]", b"{}", b"NaN", b"\0" * 100),
    *(b"[" * _DEEP, b'{"a":' * _DEEP, b"1" * _DEEP, b'{"requestid":"a","type":0}' + b" " * _DEEP),
    *(asking(type=kind) for kind in KINDS),
    *(asking(requestid=number, type=0) for number in IDS),
    *(asking(type=0, rooms=rooms) for rooms in ROOMS),
    *(asking(type=kind, sid=1) for kind in (1, 3, 4, 6)),
    *(asking(type=kind, sid=["a"], room=1) for kind in (3, 4)),
    *(asking(type=6, sid="nobody", close="yes"), asking(clients="nobody"), asking(clients=[1])),
    *(asking(rooms={}), b'{"requestId":"a","type":3,"rooms":["a"],"opts":{}}'),
    *(_ANY.randbytes(_ANY.randrange(200)) for _ in range(50)),
]
"""What is no request or response, or one of a later version, or to nobody."""


@pytest.fixture(scope="module", params=[2, 4])
def ours(quiet_redis: RedisServer, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Two nodes of ours, of either generation."""
    names, key = ["ours-1", "ours-2"], f"{KEY}-{request.param}"
    with cluster(quiet_redis.url, key, names, generation=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def clients(ours: Cluster, crowd: Crowd) -> list[Client]:
    """A client of each, in the room."""
    clients = crowd.open(ours.ports)
    for client in clients:
        client.join("room")
    return clients


def invalid(nodes: Cluster) -> list[int]:
    return [result["invalid"] for result in nodes.call("statistics").values()]


@pytest.mark.parametrize(
    ("channel", "payloads"),
    [
        ("#/#", [msgpack.packb(shape) for shape in SHAPES]),
        ("#/#room#", [msgpack.packb(shape) for shape in SHAPES]),
        ("#/#", BYTES),
        ("-request#/#", REQUESTS),
        ("-response#/#", REQUESTS),
        ("-probe#", [*REQUESTS, *BYTES]),
    ],
    ids=["shapes", "shapes-to-a-room", "bytes", "requests", "responses", "probes"],
)
def test_garbage(
    ours: Cluster,
    clients: list[Client],
    quiet_redis: RedisServer,
    channel: str,
    payloads: list[bytes],
) -> None:
    one, two = ours.nodes.values()
    if ours.key.endswith("4"):  # where the id of a request has another name
        payloads = [payload.replace(b"requestid", b"requestId") for payload in payloads]
    heard = Hearing(clients)
    before = invalid(ours)
    orders, asked = [], []
    for number, payload in enumerate(payloads):
        assert quiet_redis.publish(ours.key + channel, payload) == 2
        target: dict[str, object] = {"rooms": ["room"]} if number % 2 else {}
        orders.append(one.order("emit", target, "news", number))
        if number % 10 == 0:  # so that responses are waited for
            asked.append(two.order("clients", "/", ["room"]))
    for order in orders:
        order.result()
    for order in asked:
        assert set(order.result()) == {client.id for client in clients}
    heard.fence(one)
    heard.fence(two)
    news = {
        client: [args for args in args_ if args != ["forged"]]
        for client, args_ in heard.news().items()
    }
    assert news == {client: [[number] for number in range(len(payloads))] for client in clients}
    assert_well(one)
    assert_well(two)
    assert set(one.call("clients", "/", [])) == {client.id for client in clients}
    if channel != "-response#/#":  # those are read only while some are waited for
        for count_before, count in zip(before, invalid(ours), strict=True):
            assert count - count_before >= len(payloads) // 2


def assert_well(node: Node) -> None:
    statistics = node.call("statistics")
    assert statistics["healthy"]
    assert statistics["gaps"] == 0
    assert statistics["failures"] == 0
