"""Ids: their form, and that no two letters are more probable than others."""

from collections import Counter
from random import Random

from hypothesis import given, strategies as st

from trio_sio.protocol.cluster.ids import ALPHABET, EMITTER, LENGTH, new_id


def test_form() -> None:
    ident = new_id(Random(1).randbytes)
    assert len(ident) == LENGTH == 6
    assert set(ident) <= set(ALPHABET)
    assert len(set(ALPHABET)) == 62
    assert len(EMITTER) != LENGTH


def test_extremes() -> None:
    assert new_id(bytes) == "AAAAAA"
    assert len(new_id(lambda count: b"\xff" * count)) == LENGTH


def test_ids_differ() -> None:
    random = Random(2)
    ids = [new_id(random.randbytes) for _ in range(10_000)]
    assert len(set(ids)) == len(ids)
    letters = Counter("".join(ids))
    assert min(letters.values()) > 0.8 * len(ids) * LENGTH / len(ALPHABET)
    assert len(letters) == len(ALPHABET)


@given(st.binary(min_size=8, max_size=8))
def test_an_id_is_the_number_in_base_62(random: bytes) -> None:
    ident = new_id(lambda count: random[:count])
    number = sum(ALPHABET.index(letter) * 62**place for place, letter in enumerate(ident))
    assert number == int.from_bytes(random, "big") % 62**LENGTH
