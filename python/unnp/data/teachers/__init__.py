"""Universal potentials of others as teachers: one file each in ``packages``, run here or by a Python of their own."""
