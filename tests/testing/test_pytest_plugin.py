"""The pytest plugin, by what a user of it sees: whole runs of pytest, and what they print."""

import re
import subprocess
import sys
from textwrap import dedent

import pytest

pytestmark = pytest.mark.slow

pytest_plugins = ["pytester"]

CONFTEST = """
    import pytest
    import trio_sio

    @pytest.fixture
    def io():
        io = trio_sio.Server()

        @io.on("divide")
        def divide(socket, a, b):
            return a / b

        @io.on("later")
        async def later(socket):
            socket.nursery.start_soon(fail)

        async def fail():
            raise LookupError("in a task of the handler")

        return io
"""


def run(
    pytester: pytest.Pytester, tests: str, *arguments: str, mode: str = "trio_mode = true"
) -> pytest.RunResult:
    pytester.makeini(f"[pytest]\n{mode}\nfilterwarnings = error")
    pytester.makeconftest(dedent(CONFTEST))
    head = "import pytest, trio, trio_sio\nfrom trio_sio.testing import connect\n"
    pytester.makepyfile(head + dedent(tests))
    return pytester.runpytest_inprocess("-p", "pytest_trio_sio", *arguments)


def tracebacks(result: pytest.RunResult) -> int:
    """How many exceptions are shown, whether as pytest does or as Python does."""
    shown = re.compile(r"E   +\w+Error\b|[ |+]*Traceback|.*Group Traceback")
    return sum(shown.match(line) is not None for line in result.outlines)


def test_a_failing_handler_is_one_traceback_that_ends_in_it(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        async def test_connect(io, autojump_clock):
            async with io, connect(io) as client:
                await client.call("divide", 1, 0)
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*_ test_connect _*",
            "",
            "io = *",
            "*async def test_connect(io, autojump_clock):",
            "*def divide(socket, a, b):",
            ">*return a / b",
            "E*ZeroDivisionError: division by zero",
            "conftest.py:10: ZeroDivisionError",
        ]
    )
    assert tracebacks(result) == 1
    result.stdout.no_fnmatch_line("*ExceptionGroup*")
    result.stdout.no_fnmatch_line("*Disconnected*")


def test_pytest_raises_around_a_client_finds_the_handlers_error(
    pytester: pytest.Pytester,
) -> None:
    result = run(
        pytester,
        """
        async def test_call(io, autojump_clock):
            with pytest.raises(ZeroDivisionError):
                async with connect(io) as client:
                    await client.call("divide", 1, 0)

        async def test_a_task(io, autojump_clock):
            with pytest.raises(LookupError, match="in a task"):
                async with connect(io) as client:
                    await client.emit("later")
                    await client.receive()
        """,
    )
    result.assert_outcomes(passed=2)


def test_clients_stay_until_the_end_of_the_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        left = []

        async def test_several(io, io_client, autojump_clock):
            io.on("disconnect", lambda socket, reason: left.append(reason))
            io.of("/chat")
            one, two = await io_client(io), await io_client(io)
            await io_client(io, "/chat", query={"a": "b"}, protocol=5, auth={"t": 1})
            assert await one.call("divide", 4, 2) == [2]
            async with trio.open_nursery() as nursery:
                nursery.start_soon(one.call, "divide", 1, 1)
            await trio.sleep(3600)
            await io.emit("hello")
            assert await one.receive() == ["hello"]
            (socket,) = io.of("/chat").sockets.values()
            assert socket.handshake.get("a") == "b"
            assert (socket.protocol, socket.handshake.auth) == (5, {"t": 1})
            assert left == []

        async def test_they_have_left():
            assert left == ["transport close"] * 2  # the third was in /chat alone

        @pytest.fixture
        async def opened(io):
            async with io:
                yield io

        async def test_a_server_of_another_fixture(opened, io_client):
            client = await io_client(opened)
            assert await client.call("divide", 4, 2) == [2]

        async def test_a_refusal_is_raised_where_it_was_asked_for(io, io_client):
            with pytest.raises(trio_sio.ConnectionRefused, match="Invalid namespace"):
                await io_client(io, "/nowhere")
        """,
    )
    result.assert_outcomes(passed=4)


@pytest.mark.parametrize("wait", ["one.receive()", "two.receive()", "trio.sleep(1)"])
def test_a_failing_handler_of_the_fixtures_client_ends_the_test(
    pytester: pytest.Pytester, wait: str
) -> None:
    result = run(
        pytester,
        f"""
        async def test_it(io, io_client, autojump_clock):
            one, two = await io_client(io), await io_client(io)
            await one.emit("divide", 1, 0)
            await {wait}
            assert False, "unreachable"
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*_ test_it _*",
            "",
            "socket = *",
            "",
            "*@io.on*",
            "*def divide(*",
            "conftest.py:10: Zero*",
        ]
    )
    result.stdout.no_fnmatch_line("*Disconnected*")
    assert tracebacks(result) == 1


def test_two_failures_are_one_flat_group(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        async def test_it(io, io_client, autojump_clock):
            client = await io_client(io)
            await client.emit("divide", 1, 0)
            with pytest.raises(trio_sio.Disconnected):
                await client.receive()
            assert 1 == 2
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*ExceptionGroup: several failures (2 sub-exceptions)",
            "*AssertionError*",
            "*ZeroDivision*",
        ]
    )


WAITING = """
    async def late(client):
        await client.receive(timeout=5)

    async def test_waits(io, io_client, autojump_clock):
        await late(await io_client(io))

    async def test_is_refused(io, io_client, autojump_clock):
        await io_client(io, "/nowhere")

    async def test_by_bytes(io, io_network, autojump_clock):
        network = await io_network(io)
        async with network.connect("polling") as client:
            await client.call("nobody")

    def test_without_fixtures(io):
        async def main():
            async with connect(io) as client:
                await client.call("nobody")

        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
"""


def test_what_does_not_come_is_missed_in_the_test(pytester: pytest.Pytester) -> None:
    result = run(pytester, WAITING, "--show-capture=no")
    result.assert_outcomes(failed=4)
    last = [line for line in result.outlines if re.match(r"\S+\.py:\d+: (\w+\.)*\w+$", line)]
    assert [re.sub(r"\d+", "…", one) for one in last] == [
        "test_what_does_not_come_is_missed_in_the_test.py:…: TooSlowError",
        "test_what_does_not_come_is_missed_in_the_test.py:…: ConnectionRefused",
        "test_what_does_not_come_is_missed_in_the_test.py:…: TooSlowError",
        "test_what_does_not_come_is_missed_in_the_test.py:…: TooSlowError",
    ]
    result.stdout.fnmatch_lines(
        [
            ">*await client.receive(timeout=5)",
            "E*TooSlowError: waited 5 s for an event in '/'*",
            '>*await io_client(io, "/nowhere")',
            "E*ConnectionRefused: Invalid namespace",
            '>*await client.call("nobody")',
            "E*TooSlowError: waited 30 s for an acknowledgement of 'nobody'*",
        ]
    )
    result.stdout.no_fnmatch_line("*base_client.py*")
    result.stdout.no_fnmatch_line("*Cancelled*")


def test_all_of_the_way_is_shown_to_who_asks_for_it(pytester: pytest.Pytester) -> None:
    result = run(pytester, WAITING, "--full-trace")
    result.stdout.fnmatch_lines(["*base_client.py*"])


def test_what_a_handler_waits_for_is_missed_there(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        async def test_it(io, autojump_clock):
            @io.on("ask")
            async def ask(socket):
                await socket.call("question", timeout=5)

            async with connect(io) as client:
                await client.call("ask")
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['>*await socket.call("question", timeout=5)', "E*TooSlowError*"])


def test_what_else_a_test_may_end_with(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        from hypothesis import given, strategies as st

        async def test_skip(io, io_client):
            await io_client(io)
            pytest.skip("not today")

        @pytest.mark.xfail(raises=ZeroDivisionError, strict=True)
        async def test_xfail(io, autojump_clock):
            async with connect(io) as client:
                await client.call("divide", 1, 0)

        async def test_both_of_mine():
            raise ExceptionGroup("both are mine", [KeyError(1), KeyError(2)])

        @given(st.integers(0, 9))
        async def test_property(number):
            assert number < 5

        def test_sync():
            raise ExceptionGroup("of a test without Trio", [KeyError(1)])

        @given(st.integers(0, 9))
        def test_a_nursery_for_each_example(number):
            async def main():
                async with trio.open_nursery():
                    assert number < 7

            trio.run(main)
        """,
    )
    result.assert_outcomes(skipped=1, xfailed=1, failed=4)
    result.stdout.fnmatch_lines(
        [
            "*ExceptionGroup: both are mine (2 sub-exceptions)",
            "E*assert 5 < 5",
            "E*number=5,",
            "*ExceptionGroup: of a test without Trio (1 sub-exception)",
            ">*assert number < 7",
            "E*assert 7 < 7",
            "E*number=7,",
        ]
    )
    result.stdout.no_fnmatch_line("*Exceptions from Trio nursery*")


def test_a_real_server_for_real_clients(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        from urllib.request import urlopen

        async def test_it(io, io_server, io_client):
            url = await io_server(io)
            polling = f"{url}/socket.io/?EIO=3&transport=polling"
            response = await trio.to_thread.run_sync(urlopen, polling)
            with response:
                assert response.status == 200
            client = await io_client(io)
            assert await client.call("divide", 4, 2) == [2]
        """,
    )
    result.assert_outcomes(passed=1)


LOST = """
    from trio_sio.testing import Faults

    async def test_it(io, io_network, io_client, autojump_clock):
        network = await io_network(io{seed})
        async with network.connect("polling", faults=Faults(delay=(0.1, 0.2), chunk=1)) as client:
            assert await client.call("divide", 4, 2) == [2]
            client.freeze()
            await client.call("divide", 4, 2, timeout=5)
"""


@pytest.mark.parametrize(
    ("seed", "options", "shown"),
    [
        ("", ("--io-seed", "7"), "7"),
        (", seed=8", ("--io-seed", "7"), "8"),
        ("", (), "[0-9]*"),
    ],
)
def test_a_failed_test_shows_what_its_network_did(
    seed: str, options: tuple[str, ...], shown: str, pytester: pytest.Pytester
) -> None:
    result = run(pytester, LOST.format(seed=seed), *options)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*trio.TooSlowError: *",
            f"*- network with --io-seed={shown} -*",
            "*client 1 has Faults(delay=(0.1, 0.2), chunk=1*",
            "*client 1 is frozen*",
        ]
    )


def test_a_seed_replays_a_network(pytester: pytest.Pytester) -> None:
    runs = [run(pytester, LOST.format(seed=""), "--io-seed=7") for _ in range(2)]
    one, two = ([line for line in run.outlines if "client 1" in line] for run in runs)
    assert one == two
    assert len(one) > 10


def test_the_marker_will_do_in_place_of_the_mode(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        @pytest.mark.trio
        async def test_it(io, io_client):
            client = await io_client(io)
            assert await client.call("divide", 4, 2) == [2]

        @pytest.mark.trio
        async def test_failure(io, io_client):
            client = await io_client(io)
            await client.call("divide", 1, 0)
        """,
        mode="",
    )
    result.assert_outcomes(passed=1, failed=1)
    assert tracebacks(result) == 1


def test_what_a_machine_asserts_is_shown_with_its_values(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from trio_sio import MemoryAdapter
        from trio_sio.testing.machines import RoomsMachine

        class Forgetful(MemoryAdapter):
            async def remove(self, socket_id, room):
                pass

        class Mine(RoomsMachine):
            def make_adapters(self):
                return [Forgetful]

        def test_it():
            state = Mine()
            member = state.arrive(server=0, name="/", buffer=1000, protocol=4)
            state.join(member=member, room="red")
            state.leave(member=member, room="red")
            state.ask_rooms(member=member, server=0)
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*assert frozenset({*'red'*}) == {*}", "E*'red'"])


def test_nothing_of_the_package_is_imported_by_pytest_itself() -> None:
    program = "import sys, pytest_trio_sio; print([n for n in sys.modules if n[:4] == 'trio'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == [b"[]"]
