"""The sockets on which workers listen."""

import errno
import socket
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from trio_sio.workers.sockets import close_private_socket, open_private_socket, open_sockets


def test_all_addresses_have_the_same_port() -> None:
    with ExitStack() as stack:
        opened = [stack.enter_context(one) for one in open_sockets(0)]
        assert {one.family for one in opened} >= {socket.AF_INET}
        (port,) = {one.getsockname()[1] for one in opened}
        with socket.create_connection(("127.0.0.1", port)):
            pass


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        with pytest.raises(OSError, match="in use") as caught:
            open_sockets(other.getsockname()[1], "127.0.0.1")
        assert caught.value.errno == errno.EADDRINUSE


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(OSError):  # noqa: PT011 - the resolver's own words
        open_sockets(0, "no host")


def test_a_private_port() -> None:
    with closing(open_private_socket(0, "w1")) as one:
        host, port = one.getsockname()
        assert host == "127.0.0.1"
        with pytest.raises(OSError, match="in use"):
            open_private_socket(port, "w2")


def test_a_private_path(tmp_path: Path) -> None:
    one = open_private_socket(f"{tmp_path}/shop-{{node}}.sock", "w1")
    path = tmp_path / "shop-w1.sock"
    assert path.is_socket()
    close_private_socket(one)
    assert not path.exists()
    close_private_socket(open_private_socket(0, "w1"))  # which has no path


def test_what_a_killed_process_left_at_the_path(tmp_path: Path) -> None:
    path = str(tmp_path / "w1.sock")
    open_private_socket(path, "w1").close()
    close_private_socket(open_private_socket(path, "w1"))


def test_a_path_on_which_another_process_listens(tmp_path: Path) -> None:
    path = str(tmp_path / "w1.sock")
    with closing(open_private_socket(path, "w1")), pytest.raises(OSError, match="another process"):
        open_private_socket(path, "w1")


def test_a_path_that_is_no_socket(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("keep me", "utf-8")
    with pytest.raises(OSError, match="is no socket"):
        open_private_socket(str(path), "w1")
    assert path.read_text("utf-8") == "keep me"
