"""The site, built by `python -m sphinx -W docs site` from the pages as they are; see docs/development.md.

It needs no other host: no fonts, scripts or pictures from the web, formulas as MathML, a search in the browser itself.
"""

import os
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]
os.environ["PYTHONPATH"] = str(DOCS.parent)  # for the commands whose help is shown
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from ddpg.command.tensorflow import import_tensorflow

import_tensorflow()  # without its start-up messages

project = "DDPG, the reference"
html_title = project
copyright = "the ddpg-reference authors (MIT license)"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "site_builder.pages",
    "site_builder.links",
    "site_builder.reference",
    "site_builder.formulas",
    "site_builder.accessibility",
]
smartquotes = False  # they would make a dash of --steps
exclude_patterns = ["play", "site_builder"]

# Pages: GitHub's Markdown, and the notebook with the outputs that it has.
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "off"

# Reference: what stands in the docstrings; a name in `backticks` is a link if it is documented.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
add_module_names = False
python_use_unqualified_type_names = True
napoleon_use_ivar = True

html_theme = "furo"
html_static_path = ["site_builder/static"]
html_css_files = ["site.css"]
html_search_scorer = str(DOCS / "site_builder" / "scorer.js")
html_math_renderer = "mathml"
html_copy_source = False
html_show_search_summary = False  # the browser may not read other pages from the disk
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": [], "navigation_with_keys": True}
