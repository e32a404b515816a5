"""MOMT runs with the same settings beside each other: what each kind of bias finds."""
