"""The command: what it chooses, writes and returns."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import trio

import trio_sio
from tests.support.conformance import OURS, ROOT, served
from tests.support.peers import served as serving
from trio_sio.conformance.catalogue import CHECKS, checks_of
from trio_sio.conformance.command import chosen, main
from trio_sio.conformance.target import Target


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(OURS) as url:
        yield url


def test_the_list_has_each_check_and_what_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        *(check.name for check in CHECKS),
        "conversations/generated",
    ]
    assert all(line.strip().endswith(".") for line in lines if line.startswith(" "))


@pytest.mark.parametrize(
    ("patterns", "areas"),
    [
        (["upgrade"], {"upgrade"}),
        (["rooms/", "order/"], {"rooms", "order"}),
        (["*one-value?polling?"], {"binary"}),
    ],
)
def test_checks_are_chosen_by_their_names(patterns: list[str], areas: set[str]) -> None:
    assert {check.name.partition("/")[0] for check in chosen(CHECKS, patterns)} == areas


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "which server?"),
        (["localhost:3000"], "is no URL of a server"),
        (["ftp://localhost"], "is no URL of a server"),
        (["http://localhost/?x=1"], "has a query or a fragment"),
        (["http://127.0.0.1:1", "--only", "nothing"], "no check is named like nothing"),
        (["http://127.0.0.1:1"], "cannot be reached"),
        (["http://[::1"], ""),
    ],
)
def test_what_cannot_be_judged(
    options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options) == 2
    said = capsys.readouterr().err
    assert said.startswith("trio-sio conformance: ")
    assert sentence in said
    assert said.count("\n") == 1


def test_reports_for_programs(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    as_json, as_junit = tmp_path / "report.json", tmp_path / "report.xml"
    options = ["--only", "handshake", "--json", str(as_json), "--junit", str(as_junit)]
    assert main([url, *options, "--verbose"]) == 0
    checks = [check.name for check in checks_of(4) if check.name.startswith("handshake/")]
    report = json.loads(as_json.read_text())
    assert (report["conforms"], report["protocol"]) == (True, 4)
    assert [one["name"] for one in report["checks"]] == checks
    assert {one["outcome"] for one in report["checks"]} == {"passed"}
    suite = ElementTree.parse(as_junit).getroot()
    assert suite.attrib["tests"] == str(len(checks))
    assert suite.attrib["failures"] == "0"
    names = [f"{case.attrib['classname']}/{case.attrib['name']}" for case in suite]
    assert names == checks
    told = capsys.readouterr().out
    assert all(f"ok      {name}" in told for name in checks)
    assert told.endswith(f"{len(checks)} checks in protocol 4: {len(checks)} passed\n")


def test_what_is_wrong_is_told_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a server that listens and says nothing."""
    as_json, as_junit = tmp_path / "report.json", tmp_path / "report.xml"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        options = ["--only", "handshake/ids", "--patience", "0.1"]
        status = main([url, *options, "--json", str(as_json), "--junit", str(as_junit)])
    assert status == 1
    told = capsys.readouterr().out
    assert "FAILED  handshake/ids-are-unique" in told
    assert "Each session has an id of its own." in told
    assert "waited 0.1 s for bytes of the server" in told
    (check,) = json.loads(as_json.read_text())["checks"]
    assert check["outcome"] == "failed"
    (case,) = ElementTree.parse(as_junit).getroot()
    assert [one.tag for one in case] == ["failure"]


@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_report_that_cannot_be_written(
    option: str, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nowhere" / "report"
    assert main([url, "--only", "handshake/ids", option, str(path)]) == 2
    assert "the results cannot be written" in capsys.readouterr().err


def test_a_difference_that_is_gone_fails(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    only = ["--only", "heartbeat/a-ping-with-data[websocket]"]
    assert main([url, *only, "--known", "python-socketio 4.6.1"]) == 1
    assert "it passes, although it is known to fail: PONG repeats" in capsys.readouterr().out


@pytest.mark.parametrize("options", [[], ["--protocol", "5"]], ids=["asked", "told"])
async def test_a_server_without_protocol_4_is_judged_by_the_other_one(
    options: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    command = ["--only", "handshake/open-is-alone", "--json", str(path), *options]
    async with serving(trio_sio.Server(protocols=[4])) as url:
        assert await trio.to_thread.run_sync(main, [url, *command]) == 0
    report = json.loads(path.read_text())
    assert report["protocol"] == 5
    assert [one["name"] for one in report["checks"]] == ["handshake/open-is-alone"]


def test_a_check_of_another_protocol(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([url, "--only", "handshake/open-is-alone"]) == 2
    assert "none of these checks holds in protocol 4" in capsys.readouterr().err


@pytest.mark.parametrize("protocol", [4, 5])
def test_the_list_of_one_protocol(protocol: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--protocol", str(protocol), "--examples", "0"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert lines == [check.name for check in checks_of(protocol)]


def test_conversations_are_repeated_by_their_seed(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--only", "conversations", "--examples", "3", "--seed", "7", "--verbose"]
    for protocol in ("4", "5"):
        assert main([url, *options, "--protocol", protocol]) == 0
        assert "ok      conversations/generated" in capsys.readouterr().out


async def test_the_page_shows_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a server that lets clients into any namespace."""
    page = (ROOT / "docs" / "conformance.md").read_text("utf-8")
    shown = page.partition("```text\n")[2].partition("```")[0]
    io = trio_sio.Server()
    io.of(re.compile(".*"))
    async with serving(io) as url:
        only = ["--only", "namespaces/an-unknown-namespace"]
        assert await trio.to_thread.run_sync(main, [url, *only]) == 1
    told = capsys.readouterr().out
    assert _without_times(told) == _without_times(f"{shown}1 checks in protocol 4: 1 failed\n")


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send this signal")
@pytest.mark.parametrize("only", ["", "conversations"], ids=["checks", "conversations"])
def test_ctrl_c_ends_it_with_what_was_judged(url: str, tmp_path: Path, only: str) -> None:
    report = tmp_path / "report.json"
    options = [
        "--verbose",
        "--examples=100000",
        f"--only={only}",
        "--only=order",
        f"--json={report}",
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "trio_sio", "conformance", url, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("ok ")
        process.send_signal(signal.SIGINT)
        told, errors = process.communicate()
    assert (process.returncode, errors) == (130, "")
    assert "; interrupted, " in told
    written = json.loads(report.read_text("utf-8"))
    assert (written["complete"], written["conforms"]) == (False, False)
    assert written["checks"][0]["name"] in first


def test_ctrl_c_before_there_is_anything_to_judge(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def press(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)  # until it is heard

    monkeypatch.setattr(Target, "parse", press)
    # Where it is ignored, as in the background of a shell, nobody would hear of it.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main([url]) == 130
    finally:
        signal.signal(signal.SIGINT, former)
    assert capsys.readouterr() == ("", "")


def _without_times(text: str) -> str:
    return re.sub(r"\d+\.\d+ s", "s", text)


@pytest.mark.parametrize(
    "option", [["--jobs", "0"], ["--examples", "-1"], ["--patience", "0"], ["--patience", "inf"]]
)
def test_numbers_have_to_make_sense(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["http://localhost", *option])
    assert ended.value.code == 2
    assert f"argument {option[0]}" in capsys.readouterr().err
