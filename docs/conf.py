"""Sphinx configuration."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from unnp import __version__

project = "unnp"
copyright = "the unnp developers"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.mathjax", "reference_directives"]
myst_enable_extensions = ["amsmath", "deflist", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "unnp"
