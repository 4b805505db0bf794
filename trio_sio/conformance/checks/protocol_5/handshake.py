"""How a session begins: nothing is joined unasked."""

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import expect, require
from trio_sio.testing.clients.transports import TRANSPORTS_4

area = Area("handshake", protocols=(5,))

KEYS = ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"]
"""What OPEN says, in this order."""


@area.check
async def open_is_alone(target: Target) -> None:
    """The handshake by polling is answered with OPEN, as text, and with nothing else."""
    response = await target.request("GET", target.request_target("polling"))
    kind = response.headers.get("content-type").lower().replace(" ", "")
    expect(kind, "text/plain;charset=utf-8", "Content-Type")
    require(response.body[:2] == b"0{", f"no OPEN packet: {response.body!r}")
    require(b"\x1e" not in response.body, f"more than one packet: {response.body!r}")


@area.check_with(("polling", "websocket"))
async def open_has_five_keys(target: Target, how: str) -> None:
    """OPEN has these five keys in this order, and `maxPayload` is the fixture's limit in bytes."""
    async with open_client(target, how) as client:
        expect(list(client.opening), KEYS, "the keys of OPEN")
        expect(client.opening["maxPayload"], 100_000, "maxPayload")


@area.check_with(TRANSPORTS_4)
async def the_root_namespace_is_joined_on_demand(target: Target, how: str) -> None:
    """A client that asks for "/" joins it, whatever it talks by."""
    async with open_client(target, how) as client:
        await client.expect_quiet()


@area.check_with(("polling", "websocket"))
async def no_namespace_is_joined_unasked(target: Target, how: str) -> None:
    """Behind OPEN comes what was asked for, and nothing else: "/" is not joined by itself."""
    async with open_client(target, how, join=False) as client:
        await client.join_namespace("/chat")
        await client.emit("echo", 1, namespace="/chat")
        await client.expect_event("echo", 1, namespace="/chat")
