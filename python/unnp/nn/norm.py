"""The size of sums over the neighbours of an atom."""


def norm_of(average_neighbors: float | None, share: float = 1.0) -> float:
    """Return ``1 / sqrt(n)``, so that a sum of n terms of random sign keeps the size of one term.

    Args:
        average_neighbors: mean number of neighbours in the training data; None, before they are known, counts as 1.
        share: of these neighbours that the sum runs over.
    """
    return float(((average_neighbors or 1.0) * share) ** -0.5)
