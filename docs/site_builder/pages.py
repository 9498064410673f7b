"""Pages that are made when the site is built: commands, reference, code, and the pages outside docs/."""

import inspect
import os
import posixpath
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import ddpg
from ddpg import equations
from site_builder.links import COPIES, ROOT, adapted, linked_code, page_of_code
from site_builder.reference import comments

DOCS = ROOT / "docs"


def generate(app, config) -> None:
    """Write the generated pages; one that has not changed is left alone, so that Sphinx does not read it again."""
    made = {**copies(), **code(), **reference(), **commands()}
    for name, text in made.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for folder in ("repository", "code", "reference", "commands"):
        for path in (DOCS / folder).rglob("*.*"):
            if path.relative_to(DOCS).as_posix() not in made:
                path.unlink()


def copies() -> dict[str, str]:
    """Return the pages outside docs/."""
    return {
        f"{page}.md": adapted((ROOT / path).read_text(encoding="utf-8"), posixpath.dirname(path), page.count("/"))
        for path, page in COPIES.items()
    }


def code() -> dict[str, str]:
    """Return a page for each Python file that is linked."""
    made = {}
    for path in linked_code():
        page = page_of_code(path)
        up = "../" * (page.count("/") + 1)
        made[f"{page}.rst"] = f":orphan:\n\n{title(path)}\n.. literalinclude:: {up}{path}\n   :language: python\n"
    return made


def reference() -> dict[str, str]:
    """Return a page for each module with a name that `ddpg` exports; that of the equations has all of them."""
    modules: dict[str, list[str]] = {}
    for name, module in ddpg.MODULES.items():
        modules.setdefault(module, []).append(name)
    made = {}
    for module, names in modules.items():
        parts = [title(module), f"Import with ``from ddpg import {', '.join(names)}``.\n"]
        if module == equations.__name__:
            functions = inspect.getmembers(equations, inspect.isfunction)
            parts += [f".. autofunction:: {module}.{name}\n" for name, value in functions if value.__module__ == module]
            # The module's code leads back to its names by the kind of the first one.
            parts += [f'.. raw:: html\n\n   <span id="{module}.{name}"></span>\n' for name in names]
        parts += [directive(name) for name in names]
        made[f"reference/{module.removeprefix('ddpg.').replace('.', '-')}.rst"] = "\n".join(parts)
    return made


def directive(name: str) -> str:
    """Return autodoc's directive for a name that `ddpg` exports."""
    value = getattr(ddpg, name)
    if isinstance(value, type):
        fields = ", ".join(comments(value))  # they are described with the class
        return f".. autoclass:: ddpg.{name}\n   :members:\n   :exclude-members: {fields}\n"
    if callable(value):
        return f".. autofunction:: ddpg.{name}\n"
    return f".. autodata:: ddpg.{name}\n   :no-value:\n"


def commands() -> dict[str, str]:
    """Return a page for each command of docs/commands.md: its own help, and that of its subcommands."""
    table = re.findall(
        r"^\| `(python .*?) --help` \|", (DOCS / "commands.md").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    with ThreadPoolExecutor() as pool:
        pages = pool.map(command_page, table)
    return {
        f"commands/{command.split()[-1].removesuffix('.py')}.rst": page
        for command, page in zip(table, pages, strict=True)
    }


def command_page(command: str) -> str:
    """Return the page of a command such as "python -m ddpg.sweep"."""
    text = help_of(command)
    found = re.search(r"^  (\w+(?:\|\w+)+)$", text, flags=re.MULTILINE)
    parts = [title(command), block(text)]
    for subcommand in found[1].split("|") if found else ():
        parts += [title(f"{command} {subcommand}", "-"), block(help_of(f"{command} {subcommand}"))]
    return "\n".join(parts)


def help_of(command: str) -> str:
    """Return what a command prints for --help, 90 columns wide and without colors."""
    words = [sys.executable, *command.split()[1:], "--help"]
    wide = os.environ | {"COLUMNS": "90", "NO_COLOR": "1"}
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, env=wide).stdout


def title(text: str, underline: str = "=") -> str:
    """Return a heading."""
    return f"{text}\n{underline * len(text)}\n\n"


def block(text: str) -> str:
    """Return a block of plain text."""
    return ".. code-block:: text\n\n" + "".join(f"   {line}".rstrip() + "\n" for line in text.splitlines())


def add_contents(app, page: str, source: list[str]) -> None:
    """Give three pages their contents: the index its own links, under its own headings, and two what is below them."""
    if page in ("commands", "reference"):
        below = sorted(path.stem for path in (DOCS / page).glob("*.rst"))
        source[0] += contents([f"{page}/{name}" for name in below])
    if page == "index":
        for heading, text in re.findall(r"^## (.*)\n((?:(?!## ).*\n)*)", source[0], flags=re.MULTILINE):
            links = re.findall(r"\[([^\[\]]+)\]\(([\w/-]+)\.(?:md|ipynb)\)", text)
            source[0] += contents(
                [f"{words} <{target}>" for words, target in links], f":caption: {heading}", ":hidden:"
            )


def contents(pages: list[str], *options: str) -> str:
    """Return the directive for a part of the site's contents."""
    return "\n```{toctree}\n" + "\n".join((*options, "", *pages)) + "\n```\n"


def setup(app) -> None:
    """Make the pages before Sphinx looks for them."""
    app.connect("config-inited", generate)
    app.connect("source-read", add_contents, priority=900)  # after the links are adapted
