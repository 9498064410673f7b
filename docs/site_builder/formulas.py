"""Formulas as MathML, which browsers show themselves: no script, no font, no other host."""

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml
from sphinx.errors import SphinxError


def mathml(latex: str, display: bool) -> str:
    """Return a formula as MathML.

    Raises:
        SphinxError: It has a command that docutils does not know, such as \\dots.
    """
    try:
        return latex2mathml.tex2mathml(latex, as_block=display)
    except MathError as error:
        raise SphinxError(f"cannot show the formula {latex!r}: {error}") from None


def inline(writer, node) -> None:
    """Write a formula within a line."""
    writer.body.append(mathml(node.astext(), display=False))
    raise nodes.SkipNode


def block(writer, node) -> None:
    """Write a formula on lines of its own; a long one scrolls on a narrow screen."""
    writer.body.append(f'<div class="math" tabindex="0">{mathml(node.astext(), display=True)}</div>\n')
    raise nodes.SkipNode


def setup(app) -> None:
    """Offer `html_math_renderer = "mathml"`."""
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
