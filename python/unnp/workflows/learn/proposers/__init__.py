"""What structures are proposed, one kind in a file."""
