"""Embedded-atom potentials made from published parameters, as tables that LAMMPS reads."""

from unnp.eam.parameters import METALS
from unnp.eam.setfl import setfl_text, write_setfl
from unnp.eam.zhou import ZhouMetal

__all__ = ["METALS", "ZhouMetal", "setfl_text", "write_setfl"]
