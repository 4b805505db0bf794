"""How often a function is called for foreign values, and how deep its results may be."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.attempt import attempt
from trio_sio.protocol.errors import LocalProtocolError
from trio_sio.protocol.socketio.foreign import Default, _Open, _Walk, replace_foreign
from trio_sio.protocol.socketio.packet import Packet, PacketType


class Chain:
    """Something foreign that becomes something foreign, a number of times.

    Args:
        length: calls until a leaf comes out.
    """

    def __init__(self, length: int) -> None:
        self.length = length


def event(*args: object) -> Packet:
    return Packet(PacketType.EVENT, "/", ["a", *args])  # type: ignore[list-item]


def link(value: object) -> object:
    """Return the next link as it is."""
    assert isinstance(value, Chain)
    return Chain(value.length - 1) if value.length > 1 else "end"


def link_in_list(value: object) -> object:
    """Return the next link in a list, where it is looked for."""
    return ["beside", link(value)]


def link_in_dict(value: object) -> object:
    """Return the next link in a dict."""
    return {"next": link(value), "beside": 1}


LINKS: list[Default] = [link, link_in_list, link_in_dict]


class Counting:
    """Counts the calls of a function."""

    def __init__(self, function: Default) -> None:
        self.count = 0
        self._function = function

    def __call__(self, value: object) -> object:
        self.count += 1
        return self._function(value)


def walked(packet: Packet, default: Default) -> Packet:
    """Go the way for difficult data at once."""
    return Packet(packet.type, packet.namespace, _Walk(packet, default).replaced())  # type: ignore[arg-type]


WAYS = [replace_foreign, walked]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("function", LINKS)
@pytest.mark.parametrize("length", [1, 2, 200, 255, 256])
def test_it_is_called_once_for_each_value(
    way: Callable[[Packet, Default], Packet], function: Default, length: int
) -> None:
    counting = Counting(function)
    found: Any = way(event(Chain(length)), counting).data
    assert counting.count == length
    value = found[1]
    for _ in range(length if function is not link else 0):
        value = value[1] if isinstance(value, list) else value["next"]
    assert value == "end"


@pytest.mark.parametrize("function", LINKS)
def test_256_calls_are_the_limit(function: Default) -> None:
    """The documentation names it."""
    counting = Counting(function)
    with pytest.raises(LocalProtocolError, match="json_default was called 256 times for what"):
        replace_foreign(event(Chain(257)), counting)
    assert counting.count <= 2 * 257  # by both ways
    counting = Counting(function)
    assert str(attempt(Exception, walked, event(Chain(257)), counting)).count("256 times") == 1
    assert counting.count == 256


@pytest.mark.parametrize("way", WAYS)
def test_values_beside_each_other_do_not_add_up(way: Callable[[Packet, Default], Packet]) -> None:
    chains = [Chain(200), [Chain(200), {"a": Chain(200)}], Chain(200)]
    assert way(event(*chains), link).data == ["a", "end", ["end", {"a": "end"}], "end"]
    assert way(event(Chain(200), Chain(200)), link_in_list).data[2]  # type: ignore[index]


@pytest.mark.parametrize("levels", [9_999, 10_000])
def test_10_000_levels_are_the_limit(levels: int) -> None:
    data: object = Chain(1)
    for _ in range(levels - 1):  # the packet's own list is one
        data = [data]
    found: Any = replace_foreign(event(data), link).data
    for _ in range(levels):
        found = found[-1]
    assert found == "end"
    if levels == 10_000:
        with pytest.raises(LocalProtocolError, match="it is nested too deeply"):
            replace_foreign(event([data]), link)


def test_deep_data_without_foreign_values_stays_the_same() -> None:
    data: object = [[1]]
    for _ in range(5_000):
        data = [data]
    packet, counting = event(data, {"a": [data]}), Counting(link)
    assert replace_foreign(packet, counting) is packet
    assert counting.count == 0


def test_deep_data_is_copied_only_around_what_is_replaced() -> None:
    data: object = [Chain(1), ["beside", [1]]]
    for _ in range(5_000):
        data = [data, {"beside": [[1]]}]
    packet = event(data, ["beside", [1]])
    found: Any = replace_foreign(packet, link).data
    given: Any = packet.data
    assert found is not given
    assert found[2] is given[2]
    found, given = found[1], given[1]
    for _ in range(5_000):
        assert found is not given
        assert found[1] is given[1]
        found, given = found[0], given[0]
    assert found == ["end", ["beside", [1]]]
    assert isinstance(given[0], Chain)


@pytest.mark.parametrize("container", [[0, 1, 2], {0: 0, 1: 1, 2: 2}])
def test_a_container_is_copied_once_whatever_is_replaced_in_it(container: Any) -> None:  # noqa: ANN401
    """Otherwise the work for a long list would grow by its square."""
    opened = _Open(container, 0, container)
    copies = []
    for value in opened.rest():
        assert isinstance(value, int)
        assert opened.put(value + 10) == (value == 0)
        copies.append(opened.values)
    assert all(copy is copies[0] for copy in copies)
    assert copies[0] == ([10, 11, 12] if isinstance(container, list) else {0: 10, 1: 11, 2: 12})
    assert container[0] == 0


def test_what_stands_in_two_places_does_not_contain_itself() -> None:
    """Also if it comes again behind what it has been replaced by."""
    twice = Chain(2)
    inner = [twice, [twice]]
    packet = event(twice, inner, {"a": inner})
    for way in WAYS:
        found = way(packet, link_in_list).data
        end = ["beside", ["beside", "end"]]
        assert found == ["a", end, [end, [end]], {"a": [end, [end]]}]
