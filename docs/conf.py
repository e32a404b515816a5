"""Sphinx configuration. ``make docs`` builds the pages into docs/_build."""

from __future__ import annotations

import sys
from pathlib import Path

from unnp import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "unnp"
author = "the unnp developers"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax", "generated"]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = f"unnp {__version__}"
highlight_language = "none"

myst_enable_extensions = ["amsmath", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_use_ivar = True
napoleon_use_rtype = False
