"""`trio-sio conformance URL`: judges a Socket.IO server from outside."""

import argparse
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

import trio

from trio_sio.conformance.application import notes_on
from trio_sio.conformance.area import Check
from trio_sio.conformance.catalogue import CHECKS, checks_of
from trio_sio.conformance.differences import DIFFERENCES
from trio_sio.conformance.report import Progress, write_json, write_junit
from trio_sio.conformance.runner import FAULTS, Result, run_checks
from trio_sio.conformance.target import Target
from trio_sio.program.signals import INTERRUPTED, heard_signals
from trio_sio.testing.clients.dialect import PROTOCOLS

_REFUSES_4 = b'"code":5,'
"""What a server says that serves clients of Socket.IO 3 and 4 alone."""

USAGE = 2
"""The exit status when nothing could be judged."""


def main(argv: Sequence[str]) -> int:
    """Run the command and return the exit status.

    It is 0 if the server conforms, 1 if not, 2 if it could not be judged, and 130 if somebody has
    pressed Ctrl-C before everything was judged.
    """
    try:
        return _main(argv)
    except KeyboardInterrupt:  # nothing is judged at this moment
        return INTERRUPTED


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    catalogue = CHECKS if options.protocol is None else checks_of(options.protocol)
    checks = chosen([*catalogue, *_generated(options)], options.only)
    if options.list:
        sys.stdout.writelines(f"{check.name}\n    {check.sentence}\n" for check in checks)
        return 0
    if options.url is None:
        return _fail("which server? Give its URL, such as http://localhost:3000")
    if not checks:
        return _fail(f"no check is named like {' or '.join(options.only)}; --list shows all")
    try:
        target = Target.parse(options.url, patience=options.patience, verify=not options.insecure)
        protocol = trio.run(_reach, target, options.protocol)
    except ValueError as error:
        return _fail(str(error))
    except (OSError, trio.TooSlowError) as error:
        return _fail(f"{options.url} cannot be reached: {error or 'no answer'}")
    target = replace(target, protocol=protocol)
    spoken = [check for check in checks if protocol in check.protocols]
    if not spoken:
        return _fail(f"none of these checks holds in protocol {protocol}")
    for note in trio.run(notes_on, target):
        sys.stderr.write(f"trio-sio conformance: note: {note}\n")
    return _judge(target, spoken, DIFFERENCES.get(options.known, {}), options)


def chosen(checks: Iterable[Check], patterns: Sequence[str]) -> list[Check]:
    """Return the checks with names like one of these, or that begin so; all without any."""
    return [
        check
        for check in checks
        if not patterns
        or any(check.name.startswith(one) or fnmatchcase(check.name, one) for one in patterns)
    ]


def _generated(options: argparse.Namespace) -> list[Check]:
    if not options.examples:
        return []
    try:
        from trio_sio.conformance.conversations import conversation_check
    except ImportError:  # it needs the extra `testing`
        sys.stderr.write(
            "trio-sio conformance: no generated conversations: they need Hypothesis "
            "(pip install 'trio-sio[testing]'); --examples 0 says that this is meant\n"
        )
        return []
    return [conversation_check(options.examples, options.seed)]


async def _reach(target: Target, protocol: int | None) -> int:
    """Return the revision that is to be judged; a server that may speak both is asked for 4.

    Raises:
        OSError: the server cannot be reached.
        trio.TooSlowError: it does not accept a connection in time.
    """
    connection = await target.connect()
    try:
        if protocol is not None:
            return protocol
        try:
            response = await connection.request("GET", target.request_target("polling"))
        except FAULTS:  # the checks will tell
            return 4
        return 5 if response.status == 400 and _REFUSES_4 in response.body else 4
    finally:
        await connection.aclose()


def _judge(
    target: Target,
    checks: Sequence[Check],
    differences: Mapping[str, str],
    options: argparse.Namespace,
) -> int:
    progress = Progress(len(checks), target.protocol, verbose=options.verbose)
    run = partial(_run_until_interrupted, target, checks, differences, progress, options.jobs)
    results = trio.run(run)
    progress.finish(results)
    is_complete = len(results) == len(checks)
    try:
        if options.json is not None:
            write_json(
                options.json,
                target.url,
                results,
                is_complete=is_complete,
                protocol=target.protocol,
            )
        if options.junit is not None:
            write_junit(options.junit, target.url, results)
    except OSError as error:
        return _fail(f"the results cannot be written: {error}")
    if not is_complete:
        return INTERRUPTED
    return 0 if all(result.is_good for result in results) else 1


async def _run_until_interrupted(
    target: Target,
    checks: Sequence[Check],
    differences: Mapping[str, str],
    progress: Progress,
    jobs: int,
) -> list[Result]:
    """Run checks; return what was judged by the time at which somebody presses Ctrl-C."""
    stop = trio.Event()
    run = partial(run_checks, target, checks, differences, progress.tell, jobs=jobs, stop=stop)
    if threading.current_thread() is not threading.main_thread():  # which alone hears signals
        return await run()
    with heard_signals(stop):
        return await run()


def _fail(sentence: str) -> int:
    sys.stderr.write(f"trio-sio conformance: {sentence}\n")
    return USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trio-sio conformance",
        description="Judge a Socket.IO server from outside. It has to run the application of "
        "docs/conformance.md, which exists for trio_sio, socket.io and python-socketio.",
        epilog="The exit status is 0 if the server conforms, 1 if it does not, 2 if it could not "
        "be judged, and 130 after Ctrl-C, which tells what was judged until then.",
    )
    parser.add_argument("url", nargs="?", metavar="URL", help="such as http://localhost:3000")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="only checks whose names begin so, or match a pattern with * (repeatable)",
    )
    parser.add_argument(
        "--protocol",
        type=int,
        choices=PROTOCOLS,
        help="judge it as clients of this revision see it: 4 is that of Socket.IO 1.x and 2.x, 5 "
        "that of 3.x and 4.x; without, 4 unless the server refuses it",
    )
    parser.add_argument("--list", action="store_true", help="list the checks, and run none")
    parser.add_argument(
        "--known",
        choices=sorted(DIFFERENCES),
        help="expect the differences that this server is known for, and tell when one is gone",
    )
    parser.add_argument(
        "--patience",
        type=_seconds,
        default=5.0,
        metavar="SECONDS",
        help="how long to wait for one thing (%(default)s)",
    )
    parser.add_argument(
        "--jobs",
        type=_jobs,
        default=1,
        metavar="N",
        help="how many checks to run at a time (%(default)s)",
    )
    parser.add_argument(
        "--examples",
        type=_count,
        default=25,
        metavar="N",
        help="how many generated conversations to play (%(default)s); they need Hypothesis",
    )
    parser.add_argument(
        "--seed", type=_count, default=0, help="chooses the conversations (%(default)s)"
    )
    parser.add_argument("--insecure", action="store_true", help="accept any certificate")
    parser.add_argument("--verbose", action="store_true", help="tell of what passes, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write them as JUnit XML")
    return parser


def _count(text: str, least: int = 0) -> int:
    count = int(text)
    if count < least:
        raise argparse.ArgumentTypeError(f"it cannot be less than {least}")
    return count


def _jobs(text: str) -> int:
    return _count(text, 1)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError("seconds are more than 0")
    return seconds
