"""Where programs listen, and where they cannot, in a sentence."""

import socket

import pytest

import trio_sio
from trio_sio.program.listening import announce


@pytest.mark.parametrize("host", ["a..b", "no-such-host.invalid"])
def test_a_host_that_is_none_is_one_sentence(host: str) -> None:
    with pytest.raises(SystemExit, match=f"cannot listen on {host}, port 0: "):
        trio_sio.run(trio_sio.Server(), 0, host)


@pytest.mark.parametrize(
    ("host", "secure", "line"),
    [
        ("127.0.0.1", False, "http://127.0.0.1:{port}"),
        ("127.0.0.1", True, "https://127.0.0.1:{port}"),
        ("::1", False, "http://[::1]:{port}"),
        ("0.0.0.0", False, "http://localhost:{port} (and every other address of this machine)"),
    ],
)
def test_the_addresses(
    host: str, secure: bool, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as one:
        try:
            one.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        announce([one, one], secure=secure)
        expected = line.format(port=one.getsockname()[1])
    assert capsys.readouterr().out == f"Listening on {expected}\n"


def test_a_program_without_a_console(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        monkeypatch.setattr("sys.stdout", None)
        announce([one], secure=False)
