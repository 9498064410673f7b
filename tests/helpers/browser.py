"""JavaScript in Node and in headless Chromium, for tests of pages; a test is skipped where they are not installed."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from ddpg.report.play import PAGE

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")
# Before the page's own scripts: what goes wrong in them is kept.
WATCH = '<script>const problems = []; addEventListener("error", (event) => problems.push(event.message));</script>'

SHOW = """<script>Promise.resolve().then(() => CODE).catch((error) => problems.push(String(error))).then((value) => {
  const result = document.createElement("pre");
  result.id = "result";
  result.textContent = JSON.stringify({ value, problems });
  document.body.append(result);
});</script>"""


def node(scripts: tuple[str, ...], code: str, given: Any, folder: Path) -> Any:
    """Return what a piece of code, an expression of `given`, is worth in Node after some of the page's scripts."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("Node is not installed")
    (folder / "given.json").write_text(json.dumps(given), encoding="utf-8")
    text = "\n".join((PAGE / name).read_text(encoding="utf-8") for name in scripts)
    text += '\nconst given = JSON.parse(require("fs").readFileSync("given.json", "utf-8"));\n'
    (folder / "script.js").write_text(f"{text}console.log(JSON.stringify({code}));\n", encoding="utf-8")
    done = subprocess.run([program, "script.js"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def browser() -> str:
    """Return the path of a browser."""
    found = [path for path in map(shutil.which, BROWSERS) if path]
    if not found:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    return found[0]


def in_browser(page: Path, code: str, folder: Path, size: str = "1280,900", scripts: tuple[Path, ...] = ()) -> Any:
    """Return what a piece of code is worth at the end of a page, an expression or a promise.

    Args:
        page: An HTML file.
        code: The expression.
        folder: Where to write the page with the code in it.
        size: Of the window.
        scripts: Other scripts to load before the code.

    Raises:
        AssertionError: A script of the page failed.
    """
    text = page.read_text(encoding="utf-8").replace("<head>", f"<head>\n<base href='{page.parent.as_uri()}/'>\n{WATCH}")
    loaded = "".join(f'<script src="{path.as_uri()}"></script>' for path in scripts)
    show = SHOW.replace("CODE", code)
    copy = folder / "page.html"
    copy.write_text(text.replace("</body>", f"{loaded}{show}</body>"), encoding="utf-8")
    shown = chromium(copy, folder, size, "--dump-dom")
    found = re.search(r'<pre id="result">(.*?)</pre>', shown, re.DOTALL)
    assert found, shown[-2000:]
    result = json.loads(unescape(found[1]))
    assert result["problems"] == []
    return result.get("value")


def screenshot(page: Path, out: Path, size: str, *flags: str) -> None:
    """Write a picture of a page, a PNG."""
    chromium(page, out.parent, size, f"--screenshot={out}", *flags)


def chromium(page: Path, folder: Path, size: str, *flags: str) -> str:
    """Open a page in a window of a size, without a screen; return what the browser prints."""
    own = (f"--user-data-dir={folder / 'profile'}", f"--window-size={size}", "--virtual-time-budget=3000")
    command = [browser(), *FLAGS, *own, *flags, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=110).stdout
