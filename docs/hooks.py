"""Hooks of MkDocs: warn of pages that would load something from elsewhere.

A strict build fails for a warning. Links that a reader may follow are welcome; what a browser loads
by itself (scripts, styles, pictures, frames) is not.
"""

import logging
import re
from typing import Any

logger = logging.getLogger("mkdocs.plugins.loads_nothing")

_LOADS = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=["']?(?:https?:)?//[^\s"'>]*"""
    r"""|<link\b[^>]*\brel=["']?(?:stylesheet|preload|icon|preconnect)[^>]*"""
    r"""\bhref=["']?(?:https?:)?//[^\s"'>]*"""
    r"""|<link\b[^>]*\bhref=["']?(?:https?:)?//[^\s"'>]*[^>]*\brel=["']?(?:stylesheet|preload|icon)"""
)


def on_post_page(output: str, *, page: Any, **_: object) -> str:  # noqa: ANN401 - MkDocs has no types
    """Look at a page as it will be written."""
    for found in loaded_from_elsewhere(output):
        logger.warning("%s loads something from elsewhere: %s", page.file.src_uri, found)
    return output


def loaded_from_elsewhere(html: str) -> list[str]:
    """Return the tags of a page for which a browser would ask another server."""
    return _LOADS.findall(html)
