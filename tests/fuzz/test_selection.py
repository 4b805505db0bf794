"""Of what a run has found, the inputs that run code which no seed runs become seeds."""

from collections.abc import Hashable

from fuzz.harness.inputs import digest
from fuzz.harness.selection import MAX_SEEDS, choose, file_name
from trio_sio.protocol.engineio.codec_v3 import decode_text_payload
from trio_sio.protocol.errors import RemoteProtocolError


def kinds(data: bytes) -> Hashable:
    try:
        return tuple(packet.type for packet in decode_text_payload(data))
    except RemoteProtocolError as error:
        return error.hint


def test_inputs_that_run_new_code_are_chosen() -> None:
    seeds = [b"1:2"]
    found = [b"1:3", b"1:21:3", b"10:b4AAAAAAAA", b"6:b4AAAA", b"1"]
    # An input that goes the way of a seed is not, nor is the longer one of two on the same way.
    assert choose(kinds, seeds, found) == [b"1", b"6:b4AAAA"]


def test_there_are_not_too_many() -> None:
    seeds = [b"1:%d" % number for number in range(MAX_SEEDS - 1)]
    assert choose(kinds, seeds, [b"6:b4AAAA", b"9:b4AAAA"]) == [b"6:b4AAAA"]
    assert choose(kinds, [*seeds, b"9:"], [b"6:b4AAAA"]) == []


def test_the_order_of_what_was_found_does_not_matter() -> None:
    found = [b"6:b4AAAA", b"1", b"4:4abc", b"1:2"]
    assert choose(kinds, [], found) == choose(kinds, [], found[::-1])


def test_names_of_seeds() -> None:
    assert file_name(b"x") == f"found_{digest(b'x')[:10]}"
