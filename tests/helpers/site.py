"""The built site as tests need it: its pages, their links and anchors, and a browser that opens them."""

import os
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.helpers.browser import browser
from tests.helpers.pages import ROOT


class Links(HTMLParser):
    """Collects what a page links to, what it loads, and which anchors it has."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.anchors |= {value for name, value in attributes if name in ("id", "name") and value}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif given.get("src") or (tag == "link" and given.get("href")):
            self.loads.append(given.get("src") or given["href"])


def build(folder: Path) -> subprocess.CompletedProcess:
    """Build the site from a copy of the files that git knows, so that nothing else can be needed."""
    for package in ("sphinx", "myst_nb", "furo"):
        pytest.importorskip(package, reason=f"{package} is not installed (requirements-docs.txt)")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    words = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs", "site"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, env=environment)


def open_browser(playwright):
    """Return a headless Chromium, the one that is installed."""
    return playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
