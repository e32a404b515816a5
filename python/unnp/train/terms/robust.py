"""Errors in which labels that are far off do not count: Tukey's biweight on the scale of the batch."""

from __future__ import annotations

import torch
from torch import Tensor

TUKEY = 4.6851
"""Residual in standard deviations from which on it has no influence: 95 % efficient where the residuals are normal."""
DEVIATIONS = 1.4826
"""Standard deviations per median absolute deviation of normal residuals."""

ALIKE = 1e-12
"""Spread up to which residuals are alike but for rounding, as forces that are zero by symmetry; in the unit of the label."""


def biweight(residual: Tensor, scale: Tensor) -> Tensor:
    """Return ``(c s)^2 / 3 (1 - (1 - (r / c s)^2)^3)``, and ``(c s)^2 / 3`` where ``|r| > c s``.

    It is ``2 s^2`` times Tukey's biweight of ``r / s`` (Beaton and Tukey, Technometrics 16, 147 (1974)), and so ``r^2`` for
    small ``r``, in the unit of the square: it can stand beside a mean square.

    Args:
        residual: r, of any shape.
        scale: s, a number above 0 in the unit of r.
    """
    bound = TUKEY * scale
    inside = (
        (residual / bound).clamp(-1.0, 1.0).square()
    )  # clamped first: the derivative of a large square would overflow
    return bound.square() / 3 * (1 - (1 - inside).pow(3))


def spread(residuals: Tensor) -> Tensor:
    """Return ``1.4826 median |r - median r|`` of residuals (n,), without a gradient; 0 for fewer than two."""
    values = residuals.detach()
    if values.numel() < 2:
        return values.new_zeros(())
    return DEVIATIONS * _median((values - _median(values)).abs())


def _median(values: Tensor) -> Tensor:
    """Return the median of values (n,); of an even number the mean of the middle two, where torch takes the lower one."""
    n = values.numel()
    ordered = values.sort().values
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2


def robust_error(residual: Tensor, error: Tensor, doubtful: Tensor) -> Tensor:
    """Return errors in which those of doubtful labels are biweights of their residuals on the scale of their own spread.

    Where there is no spread, as of a single label or of forces that symmetry makes zero, nothing tells which are far off: these
    are squares.

    Args:
        residual: of any shape.
        error: of the same shape.
        doubtful: bool of the same shape.
    """
    scale = spread(residual[doubtful])
    is_known = scale > ALIKE
    known = torch.where(is_known, scale, 1.0)  # the branch that is not taken has a gradient too
    own = torch.where(is_known, biweight(residual, known), residual.square())
    return torch.where(doubtful, own, error)
