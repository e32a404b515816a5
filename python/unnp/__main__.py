"""``python -m unnp``, which torchrun needs."""

from unnp.cli import main

main()
