"""Melting point from solid and liquid side by side at constant enthalpy."""
