"""Frames of a MOMT run, chosen evenly in energy and order, and labelled."""
