"""Surface energies of potentials, beside labels or a reference potential."""
