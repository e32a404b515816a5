"""Melting point from interface pinning."""
