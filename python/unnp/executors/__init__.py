"""Where tasks are computed, labels and trainings for instance: one kind in a file."""
