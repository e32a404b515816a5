"""The measure of smoothness tells kinks from smooth functions."""

import numpy as np
import pytest
from unnp.testing.smoothness import STEEP, jump


@pytest.mark.parametrize(("power", "smooth"), [(1, False), (2, True), (3, True)])
def test_the_measure_tells_kinks_from_smooth_functions(power, smooth):
    """A force (1 - r)^p has a continuous slope from p = 2 on."""
    for start in np.linspace(0.6123, 0.6153, 17):
        r = np.linspace(start, 1.2, 1001)
        assert (jump(0.3 * np.clip(1 - r, 0, None) ** power + np.sin(9 * r)) < STEEP) == smooth
