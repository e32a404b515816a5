"""Atoms: structures, elements, neighbours, and the graph of bonds that potentials take."""
