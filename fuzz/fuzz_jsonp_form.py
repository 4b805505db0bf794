"""Any form is read as a plain reading of its grammar would, or raises RemoteProtocolError.

The plain one is `urllib.parse`, which takes a hundred times as long.
"""

from collections.abc import Hashable
from urllib.parse import unquote_to_bytes

from fuzz import harness
from trio_sio.protocol.engineio.jsonp_form import decode_jsonp_form
from trio_sio.protocol.errors import RemoteProtocolError

NAME = "jsonp_form"


def fuzz(data: bytes) -> Hashable:
    """Read a form; the outcome is what was in it."""
    try:
        text = decode_jsonp_form(data)
    except RemoteProtocolError as error:
        return error.hint.partition(",")[0]
    assert text == _plainly(data)
    if text is None:
        return None
    return ("\n" in text, "\\" in text, "\ufffd" in text, "%" in text, "&" in text, len(text) > 40)


def _plainly(body: bytes) -> str | None:
    fields = [field.partition(b"=") for field in body.split(b"&")]
    values = [value for name, _, value in fields if name in (b"d", b"%64")]
    if len(values) != 1:
        return None
    text = unquote_to_bytes(values[0].replace(b"+", b" ")).decode("utf-8", "replace")
    return "\\n".join(part.replace(r"\n", "\n") for part in text.split(r"\\n"))


if __name__ == "__main__":
    harness.main(fuzz, NAME)
