"""Networks from the features of an atom to trained outputs beside the energy: one file each."""
