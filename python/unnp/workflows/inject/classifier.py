"""The classifier: which potential is the nearest to what DFT would say of a structure."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.data.batching import BatchSampler
from unnp.data.dataset import Dataset
from unnp.data.fingerprint import fingerprint
from unnp.data.opening import Concatenated
from unnp.data.store import Store
from unnp.device import resolve_device
from unnp.files.kept import kept
from unnp.models import Head, Potential, TrainingData, build_potential
from unnp.models.build import PotentialConfig
from unnp.models.checkpoint import number_type
from unnp.nn.pooling import mean_by_graph
from unnp.nn.system import System
from unnp.train.building import Graphs
from unnp.train.config import OptimizerConfig
from unnp.train.optim import build_optimizer, clip_gradients, set_rate
from unnp.train.schedule import learning_rate
from unnp.workflows.inject.config import ClassifierConfig

WARMUP = 20
"""Steps in which the learning rate rises."""


class Classifier(nn.Module):
    """``logits = MLP(mean_i h_i)`` with the features h of a representation, a logit for each class.

    Args:
        potential: whose representation it is.
        n_classes: number of classes.
    """

    def __init__(self, potential: Potential, n_classes: int) -> None:
        super().__init__()
        assert potential.representation is not None
        self.potential = potential
        width = potential.representation.n_features
        self.network = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, n_classes))

    def forward(self, graph: Graph) -> Tensor:
        """Return the logits (n_graphs, n_classes)."""
        system = System(*graph.arguments[:4], graph.n_graphs, graph.n_atoms, 0)
        logits: Tensor = self.network(mean_by_graph(self.potential.represent(system), system))
        return logits


@dataclass(frozen=True)
class Task:
    """What a classifier is trained on, and asked.

    Attributes:
        potential: architecture and settings.
        settings: of the training.
        train, validation: stored structures and their classes.
        asked: stored structures whose classes are asked for.
        elements: chemical symbols of all of them.
        n_classes: number of classes.
        seed: of the first weights and of the batches.
        device: to compute on.
        file: gets the probabilities.
    """

    potential: PotentialConfig
    settings: ClassifierConfig
    train: tuple[Path, list[int]]
    validation: tuple[Path, list[int]]
    asked: tuple[Path, ...]
    elements: list[str]
    n_classes: int
    seed: int
    device: str
    file: Path


def probabilities(task: Task) -> np.ndarray:
    """Return the probability of each class for the structures that are asked for, (n_structures, n_classes); made once."""

    def make() -> dict[str, Any]:
        return {"probabilities": np.round(_train_and_ask(task), 6).tolist()}

    made_with = {
        "potential": task.potential.model_dump(mode="json"),
        "settings": task.settings.model_dump(mode="json"),
        "classes": [task.train[1], task.validation[1], task.n_classes],
        "structures": [fingerprint(Store(path)) for path in (task.train[0], task.validation[0], *task.asked)],
        "seed": task.seed,
    }
    return np.array(kept(task.file, made_with, make)["probabilities"])


def start_classifier() -> Callable[[Task], None]:
    """Return the function that trains one classifier, for an executor."""
    return _make


def _make(task: Task) -> None:
    probabilities(task)


def _train_and_ask(task: Task) -> np.ndarray:
    torch.manual_seed(task.seed)
    device = resolve_device(task.device)
    train, validation = Store(task.train[0]), Store(task.validation[0])
    asked = Concatenated([Store(path) for path in task.asked])
    elements = Elements(task.elements)
    cutoff = task.potential.cutoff()
    learnt, held_back, unknown = (Dataset(part, elements, cutoff) for part in (train, validation, asked))
    with number_type("float32"):
        data = TrainingData(learnt.average_neighbors, Graphs(learnt))
        head = Head(1.0, dict.fromkeys(elements.symbols, 0.0))
        potential = build_potential(task.potential, elements.symbols, [head], data)
        classifier = Classifier(potential, task.n_classes).to(device)
    _train(classifier, (learnt, task.train[1]), (held_back, task.validation[1]), task, device)
    logits = _logits(classifier, unknown, task, device)
    found: np.ndarray = torch.softmax(logits.double(), dim=1).cpu().numpy()
    return found


def _train(
    classifier: Classifier,
    train: tuple[Dataset, list[int]],
    validation: tuple[Dataset, list[int]],
    task: Task,
    device: torch.device,
) -> None:
    """Minimise the cross-entropy; the weights of the epoch with the smallest one on the validation structures stay."""
    settings, structures = task.settings, train[0]
    optimizer = build_optimizer(classifier, OptimizerConfig(kind="adamw", betas=(0.9, 0.999)))
    parameters = [p for p in classifier.parameters() if p.requires_grad]
    sampler = _batches(structures, task, shuffle=True)
    targets, expected = (torch.tensor(each, device=device) for _, each in (train, validation))
    best, best_state, step = float("inf"), copy.deepcopy(classifier.state_dict()), 0
    for epoch in range(settings.epochs):
        for indices in sampler.epoch(epoch):
            share, peak = epoch / settings.epochs, settings.learning_rate
            set_rate(optimizer, learning_rate(step, share, peak=peak, final=1e-5, warmup_steps=WARMUP))
            loss = nn.functional.cross_entropy(classifier(_graph(structures, indices, device)), targets[indices])
            optimizer.zero_grad()
            loss.backward()
            clip_gradients([p.grad for p in parameters if p.grad is not None], 1.0)
            optimizer.step()
            step += 1
        found = float(nn.functional.cross_entropy(_logits(classifier, validation[0], task, device), expected))
        if found < best:
            best, best_state = found, copy.deepcopy(classifier.state_dict())
    classifier.load_state_dict(best_state)


@torch.no_grad()
def _logits(classifier: Classifier, dataset: Dataset, task: Task, device: torch.device) -> Tensor:
    parts = [
        classifier(_graph(dataset, indices, device)) for indices in _batches(dataset, task, shuffle=False).epoch(0)
    ]
    return torch.cat(parts)


def _batches(dataset: Dataset, task: Task, *, shuffle: bool) -> BatchSampler:
    costs = dataset.costs(task.potential.cost())
    return BatchSampler(dataset.n_atoms, costs, batch_size=task.settings.batch_size, shuffle=shuffle, seed=task.seed)


def _graph(dataset: Dataset, indices: Sequence[int], device: torch.device) -> Graph:
    return Graph.batch([dataset[k].graph for k in indices]).to(device, torch.float32)
