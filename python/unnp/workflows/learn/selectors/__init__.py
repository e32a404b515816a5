"""Which of the proposed structures are learnt from, one kind in a file."""
