"""Architectures and potentials compared on one data set, under one budget."""
