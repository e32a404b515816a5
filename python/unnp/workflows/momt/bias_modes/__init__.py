"""The modes of `fix momt`, ways in which the bias is made, one file for each; ``bias.kind`` chooses."""

from typing import TYPE_CHECKING

from unnp.workflows.momt.bias_modes.base import BiasMode
from unnp.workflows.momt.kinds import kinds_of, one_of

BIAS_MODES = kinds_of(__name__, BiasMode)

if TYPE_CHECKING:
    Bias = BiasMode
else:
    Bias = one_of(BIAS_MODES)
