"""A folder with files, and secrets around it."""

import os
from pathlib import Path

import pytest

from tests.static_files.asking import LARGE, WHEN


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files, and secrets around it."""
    site = tmp_path / "site"
    (site / "deep" / "er").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "site-secret").mkdir()
    (tmp_path / "site-secret" / "a.txt").write_text("secret")
    (site / ".env").write_text("secret")
    (site / ".git").mkdir()
    (site / ".git" / "config").write_text("secret")
    (site / "index.html").write_text("<p>index")
    (site / "deep" / "index.html").write_text("<p>deep")
    (site / "a b é.txt").write_text("words")
    (site / "app.js").write_text("0")
    (site / "large.bin").write_bytes(LARGE)
    (site / "empty.css").write_text("")
    (site / "pack.tar.gz").write_bytes(b"gz")
    (site / "out.txt").symlink_to(tmp_path / "secret.txt")
    (site / "outside").symlink_to(tmp_path)
    (site / "to-dot").symlink_to(site / ".env")
    (site / "inside.txt").symlink_to(site / "deep" / "index.html")
    (site / "circle").symlink_to(site / "circle")
    os.mkfifo(site / "pipe")
    os.utime(site / "large.bin", (WHEN, WHEN))
    return site
