"""Paths of lowest energy between two minima, and the barriers on them."""
