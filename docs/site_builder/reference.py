"""Docstrings as the reference shows them: settings from their declarations, formulas from docs/equations.md."""

import dataclasses
import inspect
import re
from pathlib import Path

from sphinx.util.typing import stringify_annotation

import ddpg
from ddpg.config import Config
from ddpg.settings.setting import text_of

EQUATIONS = Path(__file__).parents[1] / "equations.md"


def formulas() -> dict[str, str]:
    """Return the formula of each function that docs/equations.md names in a heading, as LaTeX."""
    found = {}
    for section in EQUATIONS.read_text(encoding="utf-8").split("\n## ")[1:]:
        heading, _, text = section.partition("\n")
        formula = re.search(r"^\$\$(.*?)\$\$", text, flags=re.DOTALL | re.MULTILINE)
        if formula:
            found[heading.split("`")[1]] = formula[1]
    return found


def complete(app, kind: str, name: str, value, options, lines: list[str]) -> None:
    """Add to a docstring what is known elsewhere; its | are those of mathematics, and no markup."""
    lines[:] = [line.replace("|", r"\|") for line in lines]
    if kind == "class" and value is not Config:
        lines += [f":param {field}: {comment}" for field, comment in comments(value).items()]
    if kind == "property":
        lines.insert(0, "")  # else napoleon takes what stands before a colon for a type
    if value is ddpg.PRESETS:  # its docstring is that of every dictionary
        lines[:] = [f"The presets by name, each a `Config`: {', '.join(value)}."]
    if value is Config:
        lines += [line for field in dataclasses.fields(Config) for line in described(field)]
    formula = FORMULAS.get(name)
    if formula:
        lines[1:1] = ["", ".. math::", "", *(f"   {line}" for line in formula.strip().splitlines()), ""]


def comments(kind: type) -> dict[str, str]:
    """Return what the comments behind the fields of a class say, such as those of `Metrics`."""
    return dict(re.findall(r"^    (\w+): .*?  # (.*)$", inspect.getsource(kind), flags=re.MULTILINE))


def described(field: dataclasses.Field) -> list[str]:
    """Return the lines for a setting: its type, what it is, what is allowed."""
    default = field.default_factory() if field.default is dataclasses.MISSING else field.default
    allowed = " or ".join(field.metadata["choices"] or ()) or field.metadata["within"]
    text = f"{field.metadata['help']} (default: {text_of(default)}{f'; allowed: {allowed}' if allowed else ''})"
    return [f":param {field.name}: {text}", f":type {field.name}: {stringify_annotation(field.type, 'smart')}"]


def shorten(app, kind: str, name: str, value, options, arguments, returns):
    """Leave the signature of `Config` out: its settings follow, one a line."""
    return ("(**settings)", None) if value is Config else None


def resolve(app, env, node, words):
    """Lead from a name such as ddpg.agent.Metrics, in a signature or a docstring, to the name that users import."""
    module, _, name = node.get("reftarget", "").rpartition(".")
    if node.get("refdomain") == "py" and ddpg.MODULES.get(name) == module:
        domain = env.get_domain("py")
        return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", f"ddpg.{name}", node, words)
    return None


def setup(app) -> None:
    """Complete docstrings, and resolve names."""
    app.connect("autodoc-process-docstring", complete, priority=400)  # before napoleon
    app.connect("autodoc-process-signature", shorten)
    app.connect("missing-reference", resolve)


FORMULAS = formulas()
