"""Knowledge of empirical potentials, injected into the training of a network."""
