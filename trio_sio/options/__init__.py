"""The options of `Engine` and `Server`, with the defaults of the Socket.IO 2.x documentation.

    declaration.py   how an option is declared, and what a class of options can do
    checks.py        what values are allowed
    hints.py         what is meant by options that other servers have
    compression.py   the parameters of the two compressions
    cookie.py        the session's cookie, by option and by revision
    cors.py          the header fields for pages of other origins
    recovery.py      `Recovery`, of one option
    basics.py        `BasicOptions`, the first part of these:
    engine.py        `EngineOptions`
    server.py        `ServerOptions`

Times are in seconds, sizes in bytes. An unknown option is a `TypeError`, a value that is not
allowed a `TypeError` or `ValueError`; both name the option and the value.
"""

from trio_sio.options.basics import (
    AllowHeaders as AllowHeaders,
    Origins as Origins,
    TransportName as TransportName,
)
from trio_sio.options.compression import (
    compression_level as compression_level,
    compression_threshold as compression_threshold,
)
from trio_sio.options.declaration import takes as takes
from trio_sio.options.engine import (
    OVERFLOW_POLICIES as OVERFLOW_POLICIES,
    EngineOptions as EngineOptions,
    OverflowPolicy as OverflowPolicy,
    WSEngine as WSEngine,
)
from trio_sio.options.recovery import (
    Recovery as Recovery,
    RecoveryOption as RecoveryOption,
    recovery_of as recovery_of,
)
from trio_sio.options.server import (
    LIMIT_OPTIONS as LIMIT_OPTIONS,
    FloodPolicy as FloodPolicy,
    ParserOption as ParserOption,
    ServerOptions as ServerOptions,
)
