"""The programs of `examples/` in the pages: each is quoted whole, behind a comment that names it.

    <!-- examples/hello.py -->
    ```python
    …
    ```

So a page can be read where it lies, and a program can be run from where it lies. A test compares
the two; `python3 -m docs programs` makes them the same again.
"""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
QUOTED = re.compile(r"<!-- (examples/\S+) -->\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def pages() -> list[Path]:
    """Return the README and all pages of the site."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def fill_all() -> Iterator[Path]:
    """Bring the programs of all pages up to date; yield the pages that changed."""
    for path in pages():
        before = path.read_text("utf-8")
        after = fill(before)
        if after != before:
            path.write_text(after, "utf-8")
            yield path


def fill(text: str) -> str:
    """Return a page with its programs as they are in `examples/` now."""

    def quote(match: re.Match[str]) -> str:
        name, language = match[1], match[2]
        program = (ROOT / name).read_text("utf-8")
        return f"<!-- {name} -->\n```{language}\n{program}```"

    return QUOTED.sub(quote, text)
