"""Links that lead out of docs/: the pages stay as they are in the repository, and lead somewhere on the site too.

A Markdown page elsewhere and a Python file become pages of the site, a folder becomes plain text, docs/play is copied
as it is, and any other file is a download.
"""

import posixpath
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\[([^\[\]]*)\]\(((?!\w+:|#)[^()#\s]*)(#[^()\s]*)?\)")
COPIES = {  # pages outside docs/, and their names on the site
    "README.md": "repository/readme",
    "benchmarks/README.md": "repository/benchmarks",
    "CHANGELOG.md": "repository/changelog",
    "CONTRIBUTING.md": "repository/contributing",
}


def page_of_code(path: str) -> str:
    """Return the name on the site of a Python file: "ddpg/agent.py" is "code/ddpg/agent"."""
    return f"code/{path.removesuffix('.py')}"


def adapted(text: str, folder: str, depth: int) -> str:
    """Return a page's text with its links as the site needs them.

    Args:
        text: Markdown, or a notebook, whose links are those of a file in `folder`.
        folder: The folder in the repository: "docs", or "" for the README.
        depth: How many folders below docs/ the page of the site lies.
    """

    def adapt(link: re.Match) -> str:
        words, target, anchor = link[1], link[2], link[3] or ""
        path = posixpath.normpath(posixpath.join(folder, target))
        if path in COPIES:
            page = f"{COPIES[path]}.md"
        elif path.endswith(".py"):
            page = f"{page_of_code(path)}.rst"
        elif path == "docs/play/index.html":
            return f'<a href="{"../" * depth}play/index.html">{words}</a>'
        elif (ROOT / path).is_dir():
            return words
        else:
            page = posixpath.relpath(path, "docs")
        return f"[{words}]({'../' * depth}{page}{anchor})"

    return LINK.sub(adapt, text)


def linked_code() -> list[str]:
    """Return the Python files that pages link to."""
    pages = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("*.ipynb"), *(ROOT / name for name in COPIES)]
    targets = ((page, link[2]) for page in pages for link in LINK.finditer(page.read_text(encoding="utf-8")))
    paths = {posixpath.normpath((page.parent.relative_to(ROOT) / target).as_posix()) for page, target in targets}
    return sorted(path for path in paths if path.endswith(".py"))


def adapt_page(app, page: str, source: list[str]) -> None:
    """Adapt a page of docs/ as it is read; what `pages` generates has links of the site already."""
    if "/" not in page:
        source[0] = adapted(source[0], "docs", 0)


def copy_play(app, exception) -> None:
    """Copy the page that Sphinx has nothing to do with; its links lead to pages of the site."""
    play, copied = ROOT / "docs" / "play", Path(app.outdir) / "play"
    if play.is_dir():
        shutil.copytree(play, copied, dirs_exist_ok=True)
        text = (play / "index.html").read_text(encoding="utf-8")
        (copied / "index.html").write_text(re.sub(r'href="(\.\./\w+)\.md"', r'href="\1.html"', text), encoding="utf-8")


def setup(app) -> None:
    """Read every page through `adapted`."""
    app.connect("build-finished", copy_play)
    app.connect("source-read", adapt_page)
