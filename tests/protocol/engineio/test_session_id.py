"""Session ids that name a node, and those that name none."""

import secrets
import string

import pytest
from hypothesis import example, given, strategies as st

from trio_sio.protocol.engineio.session_id import is_node_id, node_of, with_node

RANDOM = "pMx0aBcDeFgHiJkLmN_-"
NODE_IDS = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=32)


@given(NODE_IDS)
@example("n" * 32)
def test_a_node_comes_back_from_its_ids(node_id: str) -> None:
    assert is_node_id(node_id)
    assert node_of(with_node(node_id, secrets.token_urlsafe(15))) == node_id


def test_without_a_node_id_it_is_as_ever() -> None:
    assert with_node("", RANDOM) == RANDOM


@pytest.mark.parametrize("text", ["", "a.b", "é", "a b", "a" * 33, "a\n", "w#1", "*"])
def test_what_is_no_node_id(text: str) -> None:
    assert not is_node_id(text)


@pytest.mark.parametrize(
    "sid",
    [
        *("", "nobody", RANDOM, f".{RANDOM}", f"w1.{RANDOM}x", f"w1.{RANDOM[1:]}"),
        *(f"w1.{RANDOM}\n", f"w 1.{RANDOM}", f"{'w' * 33}.{RANDOM}", f"a.b.{RANDOM}"),
    ],
)
def test_what_names_no_node(sid: str) -> None:
    assert node_of(sid) == ""


@given(st.text())
def test_any_text_can_be_asked(text: str) -> None:
    assert node_of(text) == "" or text.startswith(f"{node_of(text)}.")
