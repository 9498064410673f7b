"""What Sphinx and the theme leave out for readers who use a keyboard or a screen reader."""

from pathlib import Path

CHANGES = {
    'role="heading"': 'role="heading" aria-level="2"',
    "<pre>": '<pre tabindex="0">',  # a block that is too wide can be scrolled with the keys
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
    '<div id="search-results">': '<h1>Search</h1><div id="search-results">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="All pages">',
    '<aside class="toc-drawer': '<aside aria-label="This page" class="toc-drawer',
}


def complete(app, exception) -> None:
    """Complete the HTML of every page that was written."""
    for path in Path(app.outdir).rglob("*.html"):
        text = complete_text = path.read_text(encoding="utf-8")
        for old, new in CHANGES.items():
            complete_text = complete_text.replace(old, new)
        if complete_text != text:
            path.write_text(complete_text, encoding="utf-8")


def setup(app) -> None:
    """Come last."""
    app.connect("build-finished", complete)
