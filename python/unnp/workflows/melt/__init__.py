"""Melting points by two-phase coexistence, by interface pinning and from multithermal sampling; and melting runs."""
