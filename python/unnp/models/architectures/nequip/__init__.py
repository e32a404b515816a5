"""NequIP: atoms that carry spherical tensors, and messages that are their products with the harmonics of the bonds.

S. Batzner, A. Musaelian, L. Sun, M. Geiger, J. P. Mailoa, M. Kornbluth, N. Molinari, T. E. Smidt, B. Kozinsky, Nat. Commun. 13,
2453 (2022), arXiv:2101.03164. Written from the published description; choices of this package are listed in
docs/architectures/nequip.md.
"""

from unnp.models.architectures.nequip.network import NequIP, NequIPConfig

__all__ = ["NequIP", "NequIPConfig"]
