"""Any message of another server is decoded or raises RemoteProtocolError, never anything else.

What was decoded can be encoded, and decodes to the same again. Bytes are read as a broadcast, and
as each of the other messages, of both generations of servers.
"""

from collections.abc import Callable, Hashable
from typing import TypeVar

from fuzz import harness
from trio_sio.protocol.cluster.broadcast import ClusterBroadcast, decode_broadcast
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.protocol.cluster.probe import Probe, decode_probe
from trio_sio.protocol.cluster.request import (
    Request,
    RequestKind,
    Response,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)
from trio_sio.protocol.cluster.v8 import broadcast as v8, request as v8_request
from trio_sio.protocol.cluster.v8.response import (
    Response as ResponseOf4,
    decode_response as decode_response_of_4,
    encode_answer,
    encode_found,
    encode_reply,
)
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError

NAME = "cluster_message"

T = TypeVar("T")


def fuzz(data: bytes) -> Hashable:
    """Decode `data` as each kind of message, and as a channel's name."""
    return (
        _outcome(data, decode_broadcast, _check_broadcast),
        _outcome(data, decode_request, _check_request),
        _outcome(data, decode_response, _check_response),
        _outcome(data, decode_probe, _check_probe),
        _check_channel(data),
        _outcome(data, v8.decode_broadcast, _check_broadcast_of_4),
        _outcome(data, v8_request.decode_request, _check_request_of_4),
        _outcome(data, decode_response_of_4, _check_response_of_4),
    )


def _outcome(data: bytes, decode: Callable[[bytes], T], check: Callable[[T], Hashable]) -> Hashable:
    try:
        decoded = decode(data)
    except RemoteProtocolError as error:
        return _hint(error)
    try:
        return check(decoded)
    except LocalProtocolError:  # deeper than what is sent may be
        return "not sent"


def _hint(error: RemoteProtocolError) -> Hashable:
    assert error.hint  # every error says what was seen
    return error.hint[:20]


def _check_broadcast(message: ClusterBroadcast) -> Hashable:
    encoded = message.encode()
    again = decode_broadcast(encoded)
    assert again.encode() == encoded  # NaN is not equal to itself, but encoded in one way
    assert again.rooms == message.rooms
    assert again.excepted == message.excepted
    arguments = min(len(message.packet.args), 3)
    return (arguments, len(message.rooms), len(message.excepted), message.binary, message.volatile)


def _check_request(request: Request) -> Hashable:
    if request.kind is not RequestKind.UNKNOWN:
        assert decode_request(encode_request(request)) == request
    return (request.kind, len(request.rooms), request.close)


def _check_response(response: Response) -> Hashable:
    for kind in (RequestKind.CLIENTS, RequestKind.ALL_ROOMS, RequestKind.CUSTOM_REQUEST):
        assert decode_response(encode_response(response, kind)).id == response.id
    return (len(response.clients), len(response.rooms), response.node is None)


def _check_broadcast_of_4(message: v8.Broadcast) -> Hashable:
    rooms, excepted = message.selection.rooms, message.selection.excepted
    encoded = v8.encode_broadcast(message.uid, message.packet, rooms, excepted, message.manner)
    again = v8.decode_broadcast(encoded)
    assert again.selection == message.selection
    return (len(rooms), len(excepted), message.manner.binary, message.manner.volatile)


def _check_request_of_4(request: v8_request.Request) -> Hashable:
    if request.kind is not v8_request.RequestKind.UNKNOWN:
        encoded = v8_request.encode_request(request)
        again = v8_request.decode_request(encoded)
        assert v8_request.encode_request(again) == encoded
    return (request.kind, len(request.rooms), request.selection is None, bool(request.id))


def _check_response_of_4(response: ResponseOf4) -> Hashable:
    for encoded in (
        encode_answer(response.id, response.args, "x"),
        encode_found(response.id, response.found, "x"),
        encode_reply(response.id, response.data, "x"),
    ):
        assert decode_response_of_4(encoded).id == response.id
    return (response.kind, len(response.found), len(response.sids), response.node is None)


def _check_probe(probe: Probe) -> Hashable:
    assert decode_probe(probe.encode()) == probe
    return probe.leaving


def _check_channel(name: bytes) -> Hashable:
    channels = Channels("k", "/")
    room = channels.room_of(name)
    if room:
        assert channels.room(room) == name
    return room is None


if __name__ == "__main__":
    harness.main(fuzz, NAME)
