"""Run by torchrun on two CPU processes: gradients of shares of a batch, to compare with those of the whole.

python -m torch.distributed.run --nproc-per-node 2 two_processes.py DATA OUTPUT
"""

import sys

import torch
import toy  # noqa: F401 (registers)
from safetensors.torch import save_file
from unnp.atoms.elements import Elements
from unnp.config import from_dict
from unnp.data.dataset import Dataset, collate
from unnp.data.opening import open_structures
from unnp.models import Head, Potential, PotentialConfig, TrainingData, build_potential
from unnp.train.distributed import Processes, join
from unnp.train.loss import Loss, LossConfig
from unnp.train.offset import StressOffset
from unnp.train.step import backward, term_averages

SHARES: dict[str, list[list[int]]] = {
    "equal": [[0, 1], [2, 3]],
    "unequal": [[0, 1, 2, 5], [3]],
    "nothing": [[4, 6, 7], []],
}
TABLE = {
    "energy": {"weight": 1.0},
    "forces": {"weight": 2.0, "kind": "huber", "delta": 0.3},
    "stress": {"weight": 10.0},
    "group_weights": {"few": 3.0},
}


def make(data: str) -> tuple[Potential, Dataset, Loss]:
    """Return potential, data and loss, the same on each process; some labels are missing in some structures."""
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(3)
    dataset = Dataset(open_structures(data), Elements(["Al", "Cu"]), 4.0)
    dataset[1].labels["energy"].fill_(float("nan"))
    dataset[2].labels["stress"].fill_(float("nan"))
    dataset[3].labels["forces"].fill_(float("nan"))
    heads = [Head(1.0, {"Al": 0.1, "Cu": -0.2})]
    potential = build_potential(PotentialConfig(architecture="toy"), ["Al", "Cu"], heads, TrainingData(10.0))
    return potential, dataset, Loss(from_dict(TABLE, LossConfig), dataset.groups)


def gradients(
    potential: Potential, dataset: Dataset, loss: Loss, share: list[int], processes: Processes
) -> dict[str, torch.Tensor]:
    """Return the gradients of all weights, and the loss, of the shares of all processes together."""
    weights = torch.tensor(list(loss.weights(0.0).values()))
    parameters = list(potential.parameters())
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    batch = collate([dataset[k] for k in share]).to("cpu", torch.float64) if share else None
    offset = StressOffset(loss, dataset.groups, dataset.group_sizes, "cpu")
    terms = term_averages(potential, loss, offset, batch, processes, torch.device("cpu"))
    total = processes.add(backward(terms, weights, parameters, processes))
    found = {name: p.grad.clone() for name, p in potential.named_parameters() if p.grad is not None}
    return {**found, "loss": total.view(1)}


if __name__ == "__main__":
    processes, _ = join("cpu")
    made = make(sys.argv[1])
    results = {
        f"{case}.{name}": value
        for case, shares in SHARES.items()
        for name, value in gradients(*made, shares[processes.rank], processes).items()
    }
    if processes.first:
        save_file(results, sys.argv[2])
    processes.close()
