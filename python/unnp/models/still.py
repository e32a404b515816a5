"""A potential changes by training alone."""

import torch

from unnp.errors import ConfigError
from unnp.models.potential import Potential


def check_still(potential: Potential) -> None:
    """Evaluate a few atoms as in training and as in use, and refuse what makes a difference.

    Raises:
        ConfigError: a buffer changes by itself (batch normalisation, running scales), or energies are others in training than
            in use (dropout). Such a change would reach neither the running average nor other processes.
    """
    before = {name: buffer.clone() for name, buffer in potential.named_buffers()}
    was_training = potential.training
    trained, again, used = (_energies(potential.train(mode)) for mode in (True, True, False))
    potential.train(was_training)
    moved = [name for name, buffer in potential.named_buffers() if not torch.equal(buffer, before[name])]
    if moved:
        raise ConfigError(
            f"architecture '{potential.architecture}': {', '.join(moved)} would change by itself during training, as in batch "
            "normalisation; the running average of the weights, other processes and the exported file would not know of it. "
            "Use what does not change (layer normalisation), or set it once in `adapt`."
        )
    if not (torch.equal(trained, again) and torch.equal(trained, used)):
        raise ConfigError(
            f"architecture '{potential.architecture}' gives other energies in training than in use, as with dropout: energies "
            "and forces that are trained have to be those that are used. Take it out."
        )


def _energies(potential: Potential) -> torch.Tensor:
    """Return the energies of a row of atoms, each bonded to the next."""
    n, length = 8, 0.6 * min(summand.config.cutoff for summand in potential.summands())
    like = next(potential.parameters(), potential.reference_energies)
    atoms = torch.arange(n, device=like.device)
    bond_index = torch.stack([atoms[:-1], atoms[1:]])
    bond_vector = like.new_zeros([n - 1, 3])
    bond_vector[:, 0] = torch.linspace(length, 1.3 * length, n - 1)
    graph, head = torch.zeros_like(atoms), torch.zeros_like(atoms[:1])
    with torch.no_grad():
        energies: torch.Tensor = potential(atoms % potential.n_elements, bond_index, bond_vector, graph, head, n, 0)
    return torch.nan_to_num(energies)
