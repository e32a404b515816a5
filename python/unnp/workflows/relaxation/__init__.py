"""Structures at the nearest minimum of the energy of a potential."""
