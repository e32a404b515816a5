"""Melting point from MOMT sampling."""
