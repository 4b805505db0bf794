"""Which backend parses WebSocket frames (option `ws_engine`).

"auto" is the library websockets where it is installed, trio-websocket otherwise. Neither is
imported unless it is used.
"""

import importlib
import importlib.util

from trio_sio.engine.websocket.backends.base import Negotiate, Turn
from trio_sio.options import EngineOptions

_FOLDER = "trio_sio.engine.websocket.backends"


def choose(options: EngineOptions, turn: Turn) -> Negotiate:
    """Return what agrees with clients, and makes backends, as the options ask.

    Args:
        options: the engine's options.
        turn: lets other clients go first.

    Raises:
        ValueError: the library is not installed, or it cannot do what other options ask for.
    """
    name = options.ws_engine
    if name == "auto":
        name = "websockets" if importlib.util.find_spec("websockets") else "trio-websocket"
    try:
        module = importlib.import_module(f"{_FOLDER}.{name.replace('-', '_')}")
    except ImportError as error:
        raise ValueError(
            f"option 'ws_engine' is {options.ws_engine!r}, which cannot be imported ({error});"
            " pip install 'trio-sio[speed]' installs websockets"
        ) from error
    negotiate: Negotiate = module.negotiator(options, turn)
    return negotiate
