"""What visitors send, checked: names, rooms, texts, images.

Each function takes whatever came over the wire (`object`) and returns it clean, or raises
`Refusal` with a sentence for the person who typed it.
"""

import re
import unicodedata
from collections.abc import Mapping

# Joins emoji into one ("family"); the only invisible character that a name may have.
_ZERO_WIDTH_JOINER = "\u200d"
_SURROGATE = re.compile("[\ud800-\udfff]")

_IMAGE_SIGNATURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)


class Refusal(Exception):
    """The visitor asked for something that cannot be had; the text is for them to read."""


def clean_nick(value: object, limit: int) -> str:
    """A nickname: printable, one line, not empty."""
    return _name(value, limit, "A nickname")


def clean_room(value: object, limit: int) -> str:
    """A room's name: as a nickname, in small letters and without the `#` people put before it."""
    name = _name(value, limit * 2, "A room's name").lstrip("# ").lower()
    return _name(name, limit, "A room's name")


def clean_text(value: object, limit: int) -> str:
    """A message: any text that is not blank; broken surrogates become U+FFFD."""
    if not isinstance(value, str):
        raise Refusal("A message has to be text.")
    if len(value) > limit:
        raise Refusal(f"A message may have {limit:,} characters; this one has {len(value):,}.")
    text = _SURROGATE.sub("\ufffd", value).strip()
    if not text:
        raise Refusal("This message is empty.")
    return text


def image_type(value: object, limit: int) -> str:
    """The MIME type of an image, read off its first bytes: what the client calls it is not asked.

    SVG is not taken: it is a document that may carry scripts, not a picture.
    """
    if not isinstance(value, bytes):
        raise Refusal("An image has to be sent as binary data.")
    if len(value) > limit:
        raise Refusal(f"An image may have {_size(limit)}; this one has {_size(len(value))}.")
    for signature, mime_type in _IMAGE_SIGNATURES:
        if signature.match(value):
            return mime_type
    raise Refusal("This is not a PNG, JPEG, GIF or WebP image.")


def clean_target(value: object) -> tuple[str, str]:
    """Where a message goes: `("room", name)` or `("person", id)`, out of a one-key object."""
    if isinstance(value, Mapping) and len(value) == 1:
        [(kind, name)] = value.items()
        if kind in ("room", "person") and isinstance(name, str):
            return kind, name
    raise Refusal("A message needs a room or a person to go to.")


def _name(value: object, limit: int, what: str) -> str:
    if not isinstance(value, str):
        raise Refusal(f"{what} has to be text.")
    if len(value) > limit * 4:  # before the work below is done for a megabyte of name
        raise Refusal(f"{what} may have {limit} characters.")
    shown = (character for character in value if _may_stand_in_a_name(character))
    name = " ".join(unicodedata.normalize("NFC", "".join(shown)).split())
    if not name.strip(_ZERO_WIDTH_JOINER):
        raise Refusal(f"{what} needs at least one visible character.")
    if len(name) > limit:
        raise Refusal(f"{what} may have {limit} characters; this one has {len(name)}.")
    return name


def _may_stand_in_a_name(character: str) -> bool:
    # Category C is what one cannot see: controls, direction overrides, half surrogates, private
    # use. White space among it (tab, newline) stays here and becomes one space later.
    invisible = unicodedata.category(character).startswith("C")
    return not invisible or character.isspace() or character == _ZERO_WIDTH_JOINER


def _size(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB" if count >= 100_000 else f"{count:,} bytes"
