"""Where labels are computed and members are trained, one kind in a file."""
