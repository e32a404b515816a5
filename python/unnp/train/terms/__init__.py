"""Terms of the loss: one file each, or a row of ``unnp.atoms.quantities``."""
