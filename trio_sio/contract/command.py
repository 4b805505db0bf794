"""`trio-sio contract app:io`: writes what a server and its clients say to each other."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from trio_sio.declared_event import Event
from trio_sio.server import Server


def main(argv: Sequence[str]) -> int:
    """Run the command and return the exit code."""
    options = _parser().parse_args(argv)
    try:
        _write(options.server, options.typescript, options.asyncapi)
    except BrokenPipeError:  # nobody reads on, which is no failure of this command
        raise
    except (ImportError, AttributeError, TypeError, ValueError, OSError) as error:
        sys.stderr.write(f"trio-sio contract: {error}\n")
        return 1
    return 0


def _write(where: str, for_typescript: Path | None, for_asyncapi: Path | None) -> None:
    # They need an extra, which the command's help does not.
    from trio_sio.contract import asyncapi, typescript
    from trio_sio.contract.collection import collect

    module_name, _, name = where.partition(":")
    sys.path.insert(0, "")
    module = importlib.import_module(module_name)
    io = getattr(module, name or "io")
    if not isinstance(io, Server):
        raise TypeError(f"{where} must be a trio_sio.Server, not {io!r}")
    declared = [one for one in module.__dict__.values() if isinstance(one, Event)]
    if for_typescript is not None:
        text = typescript.write(collect(io, declared, typescript.REF))
        for_typescript.write_text(text, "utf-8")
    if for_asyncapi is not None or for_typescript is None:
        text = asyncapi.write(collect(io, declared, asyncapi.REF), module_name)
        if for_asyncapi is None:
            sys.stdout.write(text)
        else:
            for_asyncapi.write_text(text, "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trio-sio contract",
        description="Write the events of a server, with their types; needs the extra `typed`. "
        "Without a file, AsyncAPI goes to standard output.",
    )
    parser.add_argument("server", metavar="MODULE:NAME", help="where the Server is, as app:io")
    parser.add_argument(
        "--typescript", type=Path, metavar="FILE", help="types for socket.io-client 2.x"
    )
    parser.add_argument("--asyncapi", type=Path, metavar="FILE", help="an AsyncAPI 3.0 document")
    return parser
