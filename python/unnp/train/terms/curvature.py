"""A bound on the curvature of the energy, which needs no label."""

from __future__ import annotations

import torch
from pydantic import NonNegativeFloat
from torch import Tensor

from unnp.data.dataset import Batch
from unnp.derivatives import Prediction, sum_over_bonds
from unnp.train.terms.base import OptionalTermConfig, Term, register


class CurvatureConfig(OptionalTermConfig):
    """The row of the curvature."""

    limit: NonNegativeFloat = 100.0
    """Curvature that costs nothing [eV/A^2]; stiff bonds have 30 to 100."""


@register("curvature")
class Curvature(Term):
    """``l(max(0, |c| - limit))`` with ``c = F H F / F^2`` [eV/A^2], the second derivative of the energy along the forces.

    A network that bends between its data makes forces that jump within a time step. The direction of the forces is the one
    in which dynamics leaves the structure. A structure without forces has no such direction and counts as 0.
    """

    Config = CurvatureConfig
    needs = "curvature"

    def count(self, batch: Batch) -> Tensor:
        return torch.full_like(batch.graph.volume.sum(), batch.graph.n_graphs)

    def errors(self, prediction: Prediction, batch: Batch) -> Tensor:
        excess = (self.along_forces(prediction, batch).abs() - self.config.limit).clamp(min=0.0)
        error: Tensor = self.config.error(excess)
        return error

    def group(self, batch: Batch) -> Tensor:
        return batch.labels.group

    @staticmethod
    def along_forces(prediction: Prediction, batch: Batch) -> Tensor:
        """Return the curvature along the forces of each structure, (n_graphs,) float64 [eV/A^2]."""
        graph = batch.graph
        assert prediction.forces is not None
        assert prediction.bond_vector is not None
        forces = prediction.forces
        # d(F^2 / 2)/dr = -H F, and sum_over_bonds takes the negative of a derivative
        (gradient,) = torch.autograd.grad(0.5 * forces.square().sum(), prediction.bond_vector, create_graph=True)
        bent = (forces * sum_over_bonds(gradient, graph)).sum(1).double()
        square = forces.square().sum(1).double()
        sums = torch.stack([bent, square], dim=1)
        totals = sums.new_zeros(graph.n_graphs, 2).index_add(0, graph.atom_graph, sums)
        moving = totals[:, 1] > 0
        return torch.where(moving, totals[:, 0] / torch.where(moving, totals[:, 1], 1.0), 0.0)
