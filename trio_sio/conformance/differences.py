"""In what servers are known to differ, by their names and those of the checks."""

from collections.abc import Mapping

DIFFERENCES: Mapping[str, Mapping[str, str]] = {
    "python-socketio 4.6.1": {},
}
