"""Trust: nothing that comes in is ever run, and there is no secret to be found by its timing.

There is no broker between servers yet; what holds for its messages is what holds for all: the
package has no means to make code of data. It reads the source, as `tests/test_walls.py` does.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "trio_sio"
FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))

MODULES = {
    *("pickle", "_pickle", "cPickle", "pickletools", "dill", "cloudpickle", "jsonpickle", "joblib"),
    *("marshal", "shelve", "dbm", "copyreg", "multiprocessing", "yaml", "code", "codeop", "runpy"),
    *("ctypes", "cffi", "pty", "xmlrpc", "imp", "zipimport", "pydoc", "pdb"),
}
"""What makes objects or code of bytes, or leads to it."""
CALLS = {"eval", "exec", "compile", "__import__", "globals", "locals", "breakpoint", "vars"}
METHODS = {"loads_pickle", "system", "popen", "find_class", "exec_module", "load_module"}
DOORS = {
    # One of three names, each checked when the options are made.
    ("engine/websocket/backends/auto.py", "importlib"),
    # The demo's page, which comes with the package.
    ("demo/page.py", "importlib"),
    # The view's page, which comes with the package, too.
    ("admin/files.py", "importlib"),
    # The module that whoever calls the command names.
    ("contract/command.py", "importlib"),
    # npm, for the command line that fetches the browser's client; no argument is a client's.
    ("browser_client.py", "subprocess"),
}
GUARDED = {"importlib", "subprocess"}
SECRETS = ("authorization", "www-authenticate", "basic ", "password", "passwd")


def problems(here: str, source: str) -> Iterator[str]:
    """What `source` does at the path `here` by which data could become code."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names]
            case ast.ImportFrom():
                names = [node.module or "", *(alias.name for alias in node.names)]
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                yield f"{name}()"
                continue
            case ast.Attribute(attr=name) if name in METHODS:
                yield f".{name}"
                continue
            case ast.Name(id="__builtins__" | "builtins"):
                yield "builtins"
                continue
            case _:
                continue
        for top in {name.split(".")[0] for name in names}:
            if top in MODULES or (top in GUARDED and (here, top) not in DOORS):
                yield f"import {top}"


def test_cve_2025_61765_nothing_in_the_package_makes_code_of_data() -> None:
    assert len(FILES) > 50
    found = {here: list(problems(here, (ROOT / here).read_text("utf-8"))) for here in FILES}
    assert {here: what for here, what in found.items() if what} == {}


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import pickle", "import pickle"),
        ("def f():\n    from pickle import loads", "import pickle"),
        ("import xmlrpc.client", "import xmlrpc"),
        ("import importlib", "import importlib"),
        ("import subprocess as s", "import subprocess"),
        ("eval(text)", "eval()"),
        ("exec(text, {})", "exec()"),
        ("compile(text, '', 'exec')", "compile()"),
        ("__import__(name)", "__import__()"),
        ("os.system(text)", ".system"),
        ("builtins.eval", "builtins"),
    ],
)
def test_cve_2025_61765_the_search_finds_what_it_looks_for(source: str, problem: str) -> None:
    assert list(problems("adapters/memory.py", source)) == [problem]


def test_cve_2025_61765_the_search_lets_pass_what_is_harmless() -> None:
    assert list(problems("adapters/memory.py", "import json, re\nre.compile('x')")) == []
    assert list(problems("browser_client.py", "import subprocess")) == []


LISTENING = """
import pickle, sys
from trio_sio.exceptions import RemoteProtocolError
from trio_sio.protocol.cluster import broadcast, probe, request
from trio_sio.protocol.engineio import codec_v3
from trio_sio.protocol.socketio import codec_msgpack, decoder
import msgpack

class Evil:
    def __reduce__(self):
        return eval, ("1 + 1",)

payloads = [pickle.dumps(Evil(), protocol) for protocol in range(6)]
text = "__import__('os').system('true')"
payloads += [msgpack.packb({"type": 2, "nsp": "/", "data": ["x", one]}) for one in payloads]
payloads += [msgpack.packb(msgpack.ExtType(kind, payloads[2])) for kind in (0, 1, 5, 127)]
payloads += [msgpack.packb({"type": 2, "nsp": "/", "data": [msgpack.ExtType(0, payloads[2])]})]
payloads += [msgpack.packb(["uid", {"type": 2, "data": ["x", one]}, {}]) for one in payloads]
payloads += [one.encode() for one in (text, f'["{text}"]', f'2["{text}"]', "2!!python/object")]
decoders = [decoder.Decoder, codec_msgpack.Decoder]
bodies = [
    codec_v3.decode_text_payload, codec_v3.decode_binary_payload, codec_v3.decode_jsonp_payload
]
between_servers = [
    broadcast.decode_broadcast, request.decode_request, request.decode_response, probe.decode_probe
]
heard = []
armed = []
EVENTS = ("pickle.find_class", "marshal.loads", "exec", "compile", "import", "os.system", "open")
def hook(event, args):
    if armed and event in EVENTS:
        heard.append((event, args))
sys.addaudithook(hook)
def all_of(feed):
    for payload in payloads:
        for message in (payload, payload.decode("latin-1")):
            try:
                list(feed(message) or ())
            except RemoteProtocolError:
                pass
def decode(kind):
    return lambda message: [kind().feed(message)]
def body(split):
    return lambda message: split(message if isinstance(message, bytes) else message.encode())
def run():
    for one in decoders:
        all_of(decode(one))
    for split in bodies:
        all_of(body(split))
    for take in between_servers:
        all_of(body(lambda message: [take(message)]))
run()  # whatever is imported when it is first needed
armed.append(True)
run()
assert heard == [], heard
try:
    pickle.loads(payloads[0])  # so the hook would have heard it
finally:
    assert heard[0][0] == "pickle.find_class", heard
print("nothing was run")
"""


def test_cve_2025_61765_no_decoder_runs_what_it_reads() -> None:
    """Python itself tells of code that is made, imported or run; it has nothing to tell.

    In a process of its own, since it cannot be asked to stop telling.
    """
    done = subprocess.run(
        [sys.executable, "-c", LISTENING],
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "nothing was run\n"), done.stderr


NAMED = {
    # In the table of fields that have one value, whatever that is.
    "protocol/http/repeated_fields.py": ["authorization", "proxy-authorization"],
    # The scraper's token, compared in constant time: `tests/metrics/test_page.py`.
    "metrics/page.py": ["authorization", "www-authenticate"],
}

OF_OUR_OWN = frozenset({"adapters/redis/link/address.py", "adapters/redis/link/connector.py"})
"""They log in to Redis: the password is one that we send, and compare with nothing."""


def test_cve_2021_33880_there_is_no_password_to_find_by_timing() -> None:
    """No file reads a credential or asks for one; `allow_request` is the application's."""
    log_in = {here for here in OF_OUR_OWN if secrets_in((ROOT / here).read_text("utf-8"))}
    assert log_in == OF_OUR_OWN
    for here in set(FILES) - OF_OUR_OWN:
        named = NAMED.get(here, [])
        assert secrets_in((ROOT / here).read_text("utf-8")) == named, here
    assert secrets_in('x = headers.get("Authorization")') == ["authorization"]
    assert secrets_in('"""Authorization."""\nx = b"Basic realm"') == ["b'basic realm'"]


def secrets_in(source: str) -> list[str]:
    """The texts of `source` that have to do with credentials; its documentation may."""
    tree = ast.parse(source)
    documents = {id(text) for node in ast.walk(tree) for text in _docstrings(node)}
    texts = [
        str(node.value).lower()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, (str, bytes))
        and id(node) not in documents
    ]
    return [text for text in texts if any(word in text for word in SECRETS)]


def _docstrings(node: ast.AST) -> Iterator[ast.Constant]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
