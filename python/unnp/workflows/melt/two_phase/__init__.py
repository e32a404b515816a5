"""Cells of solid and liquid side by side, which two routes to the melting point share."""
