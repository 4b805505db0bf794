"""A seed draws the same faults again; only mortal clients are cut."""

import pytest

from tests.soak.faults import STALL, Direction, Faults, Kind, Pieces, Plan, Purpose


@pytest.mark.parametrize(
    ("target", "purpose"),
    [
        ("?client=mortal-3&EIO=3&transport=polling&sid=a", ("mortal-3", Kind.POLLING, True)),
        ("?EIO=3&transport=websocket&client=steady-10", ("steady-10", Kind.WEBSOCKET, False)),
        ("?client=mortal-1&transport=websocket&sid=a", ("mortal-1", Kind.UPGRADE, True)),
        ("?client=steady-1&transport=websocket&sid=a", ("steady-1", Kind.UPGRADE, False)),
        ("", ("nobody-0", Kind.POLLING, False)),
    ],
)
def test_the_purpose_is_read_from_the_target(target: str, purpose: tuple[str, Kind, bool]) -> None:
    head = f"GET /socket.io/{target} HTTP/1.1\r\nReferer: ?client=mortal-9&sid=b\r\n\r\n"
    assert Purpose.of(head.encode()) == Purpose(*purpose)


def plans(seed: int, kind: Kind, mortal: bool, haste: int = 1) -> list[Plan]:
    faults = Faults(seed, haste)
    return [faults.plan(Purpose("somebody", kind, mortal)) for _ in range(2000)]


def cuts(drawn: list[Plan]) -> list[int]:
    return [
        direction.cut_at
        for plan in drawn
        for direction in (plan.up, plan.down)
        if direction.cut_at is not None
    ]


@pytest.mark.parametrize("kind", Kind)
def test_a_seed_draws_the_same_again(kind: Kind) -> None:
    assert plans(1, kind, True) == plans(1, kind, True)
    assert plans(1, kind, True) != plans(2, kind, True)


def test_haste_makes_cuts_come_sooner() -> None:
    early = cuts(plans(1, Kind.WEBSOCKET, True, haste=10))
    assert max(early) < 60_000 < max(cuts(plans(1, Kind.WEBSOCKET, True)))
    requests = [len(cuts(plans(1, Kind.POLLING, True, haste=haste))) for haste in (1, 10)]
    assert requests[0] * 5 < requests[1]


@pytest.mark.parametrize("kind", Kind)
def test_only_mortal_clients_are_cut(kind: Kind) -> None:
    assert cuts(plans(1, kind, True))
    assert not cuts(plans(1, kind, False))


def test_upgrades_are_cut_in_their_middle_too() -> None:
    places = cuts(plans(1, Kind.UPGRADE, True))
    assert sum(place < 450 for place in places) > 500
    assert sum(place >= 450 for place in places) > 500


def test_a_stall_is_short() -> None:
    drawn = plans(1, Kind.POLLING, False)
    stalls = [plan.up.stall for plan in drawn if plan.up.stall_at is not None]
    assert stalls
    assert max(stalls) <= STALL


@pytest.mark.parametrize("pieces", Pieces)
def test_pieces_make_up_the_chunk(pieces: Pieces) -> None:
    faults = Faults(1)
    for passed, size in ((0, 1), (0, 5000), (900, 500), (1000, 70_000)):
        sizes = faults.sizes(Direction(pieces, limit=1000), size, passed)
        assert sum(sizes) == size
        assert min(sizes) > 0
        if pieces is Pieces.SINGLE:
            small = min(size, 1000 - passed)
            assert sizes == [1] * small + [size - small] * (size > small)
