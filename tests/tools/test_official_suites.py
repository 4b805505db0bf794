"""The runner of the protocols' own suites: what it finds, whom it asks, and how it judges."""

import json
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support.raw import raw
from tools import official_suites
from tools.official_suites import KNOWN, Outcome, Protocols, Suite, judge

SCRIPT = """const URL = "http://localhost:3000";
const WS_URL = URL.replace("http", "ws");
const response = await fetch(`${URL}/%s/?EIO=%s&transport=polling`);
"""

MOCHA = """#!/usr/bin/env node
const fs = require('fs');
const text = fs.readFileSync('test-suite.js', 'utf8');
const url = /const URL = "([^"]*)"/.exec(text)[1];
const path = /[$][{]URL[}]([^`]*)`/.exec(text)[1];
if (!fs.existsSync('node-imports.js') || !fs.existsSync('package.json')) process.exit(1);
fetch(url + path).then(async (response) => {
  const said = `${response.status} ${(await response.text()).includes('"pingInterval":300')}`;
  const title = "Engine.IO protocol handshake HTTP long-polling";
  const failure = { fullTitle: `${title} says`, err: { message: said } };
  process.stdout.write(JSON.stringify({ passes: [{}], failures: [failure] }));
});
"""
"""In place of mocha: it asks as the script would, and tells what it was answered."""


def make_suite(folder: Path, of: str, version: str) -> Suite:
    folder.mkdir(parents=True)
    (folder / "test-suite.js").write_text(SCRIPT % (of, version))
    (folder / "package.json").write_text("{}")
    (folder / "node-imports.js").write_text("")
    programs = folder / "node_modules" / ".bin"
    programs.mkdir(parents=True)
    (programs / "mocha").write_text(MOCHA)
    (programs / "mocha").chmod(0o755)
    return Suite(f"{of} {version}", folder)


def test_suites_are_found_and_known_by_what_they_ask(tmp_path: Path) -> None:
    made = [
        make_suite(tmp_path / "a" / "test-suite", "engine.io", "4"),
        make_suite(tmp_path / "b", "socket.io", "4"),
        make_suite(tmp_path / "c" / "d" / "test-suite", "engine.io", "3"),
    ]
    (tmp_path / "a" / "test-suite" / "node_modules" / "test-suite.js").write_text(SCRIPT)
    found = official_suites.find_suites(tmp_path)
    assert found == [made[2], made[0], made[1]]
    assert [suite.revision for suite in found] == [3, 4, 4]
    assert [(suite.kind, protocols) for suite, protocols in official_suites.plan(found)] == [
        ("engine.io 3", (3, 4)),
        ("engine.io 4", (3, 4)),
        ("engine.io 4", (4,)),
        ("socket.io 4", (3, 4)),
        ("socket.io 4", (4,)),
    ]


def test_what_is_no_suite(tmp_path: Path) -> None:
    (tmp_path / "test-suite.js").write_text("describe('nothing');")
    with pytest.raises(ValueError, match=r"asks for no path of Engine\.IO or Socket\.IO"):
        official_suites.find_suites(tmp_path)


@pytest.mark.node
@pytest.mark.parametrize("kind", ["engine.io 3", "engine.io 4", "socket.io 4"])
async def test_a_suite_asks_a_server_of_ours(kind: str, tmp_path: Path) -> None:
    of, _, version = kind.partition(" ")
    suite = make_suite(tmp_path / "suite", of, version)
    outcome = await official_suites.run_suite(suite, (3, 4))
    assert outcome == Outcome(1, {"HTTP long-polling says": "200 true"})
    outcome = await official_suites.run_suite(suite, (3,))
    answered = "200 true" if version == "3" else "400 false"
    assert outcome == Outcome(1, {"HTTP long-polling says": answered})
    assert "localhost:3000" in (suite.folder / "test-suite.js").read_text()  # as it was


async def test_what_is_missing_is_said(tmp_path: Path) -> None:
    suite = make_suite(tmp_path / "suite", "engine.io", "4")
    (suite.folder / "node_modules" / ".bin" / "mocha").write_text("#!/bin/sh\necho oh no\n")
    with pytest.raises(ValueError, match=r"mocha says nothing of .*: oh no"):
        await official_suites.run_suite(suite, (4,))
    (suite.folder / "node_modules").rename(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="has no packages: run `npm install` there"):
        await official_suites.run_suite(suite, (4,))
    assert not await official_suites.run_all(tmp_path / "elsewhere")


NO_EIO = next(iter(KNOWN[(3, 4)]["engine.io 4"]))


@pytest.mark.parametrize(
    ("protocols", "failed", "is_well", "said"),
    [
        ((3, 4), {NO_EIO: "x"}, True, "known: HTTP long-polling fails"),
        ((3, 4), {}, False, "PASSED, and should not have"),
        ((3, 4), {NO_EIO: "x", "other": "y"}, False, "FAILED: other: y"),
        ((4,), {}, True, "24 of 24"),
        ((4,), {NO_EIO: "x"}, False, "FAILED: HTTP long-polling fails"),
    ],
)
def test_verdicts(protocols: Protocols, failed: dict[str, str], is_well: bool, said: str) -> None:
    suite = Suite("engine.io 4", Path())
    line, verdict = judge(suite, protocols, Outcome(24 - len(failed), failed))
    assert verdict is is_well
    assert said in line


def test_a_suite_without_cases_proves_nothing() -> None:
    assert judge(Suite("engine.io 3", Path()), (3, 4), Outcome(0, {}))[1] is False


def test_reports_of_mocha() -> None:
    report: dict[str, Any] = {
        "passes": [{}, {}],
        "failures": [
            {"fullTitle": "Socket.IO protocol connect should x", "err": {"message": "no"}},
            {"fullTitle": "Engine.IO protocol handshake WebSocket y", "err": {}},
        ],
    }
    found = official_suites.outcome_of(json.loads(json.dumps(report)))
    assert found == Outcome(2, {"should x": "no", "WebSocket y": ""})
    assert found.count == 4


@pytest.mark.parametrize("namespace", ["", "/custom,"])
async def test_what_the_suite_of_socket_io_expects(namespace: str) -> None:
    async with official_suites.served("socket.io 4", (4,)) as url, raw(url) as wire:
        websocket = await wire.websocket("/socket.io/?EIO=4&transport=websocket")

        async def say(packet: str, *answers: str) -> None:
            await websocket.send(packet)
            with trio.fail_after(10):
                for answer in answers:
                    while (heard := str(await websocket.receive())) == "2":
                        await websocket.send("3")
                    assert heard.startswith(answer)

        await say(f'40{namespace}{{"token":"1"}}', '0{"sid"', f'40{namespace}{{"sid"')
        await say("3", f'42{namespace}["auth",{{"token":"1"}}]')
        await say(f'42{namespace}["message",1,"2"]', f'42{namespace}["message-back",1,"2"]')
        await say(f'42{namespace}7["message-with-ack",[]]', f"43{namespace}7[[]]")
