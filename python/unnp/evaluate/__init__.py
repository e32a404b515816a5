"""Errors of a potential on labelled structures, and the model card that reports them."""
