"""What a model is judged on, one kind in a file."""
