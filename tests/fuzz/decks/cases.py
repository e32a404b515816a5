"""Inputs of LAMMPS with pair_style unnp: what has to run, alike on one and two ranks, and what has to be refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SYMBOLS = "Ni Al Cu"
# base: the numbers of the plain deck; agree: one and two ranks agree; error: refused; either: refused, or they agree
Due = Literal["base", "agree", "error", "either"]


@dataclass(frozen=True)
class Deck:
    """A deck and what has to come of it.

    Attributes:
        kind: row of the table.
        name: of the case.
        due: see above.
        before: commands before the atoms are read.
        data: how they are read.
        pair: the potential.
        after: commands after it.
        run: dynamics, or something else.
    """

    kind: str
    name: str
    due: Due
    before: str = "units metal"
    data: str = "read_data a.data"
    pair: str = f"pair_style unnp\npair_coeff * * toy.pt {SYMBOLS}"
    after: str = "fix 1 all nve"
    run: str = "run 4"

    def text(self) -> str:
        """Return the deck."""
        return f"""{self.before}
{self.data}
{self.pair}
velocity all create 300 11 loop geom
neighbor 1.0 bin
neigh_modify every 1 delay 0 check yes
thermo 1
thermo_style custom step pe press pxx pyy pzz
thermo_modify format float %.12g norm no lost error flush yes
{self.after}
{self.run}
"""


def coeff(words: str, style: str = "pair_style unnp") -> str:
    return f"{style}\npair_coeff {words}"


def style(words: str) -> str:
    return coeff(f"* * toy.pt {SYMBOLS}", f"pair_style unnp {words}")


def _many(kind: str, due: Due, field: str, values: dict[str, str]) -> list[Deck]:
    return [Deck(kind, f"{kind.split()[0].strip(',')}-{name}", due, **{field: value}) for name, value in values.items()]


KEYWORDS = [
    *_many(
        "keywords and pair_coeff",
        "error",
        "pair",
        {
            "unknown": style("pace 3"),
            "device-none": style("device"),
            "device-odd": style("device tpu"),
            "device-minus": style("device cuda:-1"),
            "device-text": style("device cuda:x"),
            "device-99": style("device cuda:99"),
            "device-huge": style("device cuda:99999999999999999999"),
            "device-empty": style('device ""'),
            "halo-odd": style("halo narrow"),
            "halo-none": style("halo"),
            "dtype-odd": style("dtype float16"),
            "dtype-none": style("dtype"),
            "deviation-one-member": style("deviation d.out 1"),
            "deviation-no-stride": style("deviation d.out"),
            "deviation-zero": style("deviation d.out 0"),
            "deviation-minus": style("deviation d.out -5"),
            "deviation-text": style("deviation d.out often"),
            "deviation-huge": style("deviation d.out 99999999999999999999"),
            "number": style("17"),
            "quoted": style('"device cpu"'),
            "long": style("x" * 3000),
            "twice-device": style("device cpu device tpu"),
            "no-coeff": "pair_style unnp",
            "no-file": coeff("* *"),
            "absent": coeff(f"* * nothing.pt {SYMBOLS}"),
            "folder": coeff(f"* * . {SYMBOLS}"),
            "fifo": coeff(f"* * pipe {SYMBOLS}"),
            "device-file": coeff(f"* * /dev/zero {SYMBOLS}"),
            "null-file": coeff(f"* * /dev/null {SYMBOLS}"),
            "empty-file": coeff(f"* * empty.pt {SYMBOLS}"),
            "text-file": coeff(f"* * a.data {SYMBOLS}"),
            "cut-file": coeff(f"* * cut.pt {SYMBOLS}"),
            "two-symbols": coeff("* * toy.pt Ni Al"),
            "four-symbols": coeff("* * toy.pt Ni Al Cu Ni"),
            "unknown-symbol": coeff("* * toy.pt Ni Al Fe"),
            "small-symbol": coeff("* * toy.pt ni al cu"),
            "odd-symbol": coeff("* * toy.pt Ni Al X1"),
            "types": coeff(f"1 1 toy.pt {SYMBOLS}"),
            "one-star": coeff(f"* 2 toy.pt {SYMBOLS}"),
            "range": coeff(f"1*2 * toy.pt {SYMBOLS}"),
            "all-null": coeff("* * toy.pt NULL NULL NULL"),
            "style-twice-other": style("device cpu") + "\npair_style unnp halo odd",
            "coeff-twice-bad": coeff(f"* * toy.pt {SYMBOLS}") + "\npair_coeff * * nothing.pt Ni Al Cu",
        },
    ),
    *_many(
        "keywords and pair_coeff",
        "base",
        "pair",
        {
            "device-cpu": style("device cpu"),
            "device-auto": style("device auto"),
            "halo-exchange": style("halo exchange"),
            "halo-wide": style("halo wide"),
            "float64": style("dtype float64"),
            "all": style("device cpu halo exchange dtype model"),
            "twice": coeff(f"* * toy.pt {SYMBOLS}") + f"\npair_coeff * * toy.pt {SYMBOLS}",
            "other-first": coeff(f"* * loose.pt {SYMBOLS}") + f"\npair_coeff * * toy.pt {SYMBOLS}",
            "style-again": style("") + "\n" + style("halo wide"),
            "quoted-file": coeff(f'* * "toy.pt" {SYMBOLS}'),
            "same-file-by-path": coeff(f"* * ./sub/../toy.pt {SYMBOLS}"),
            "after-lj": "pair_style lj/cut 3.0\n" + style(""),
        },
    ),
    *_many(
        "keywords and pair_coeff",
        "agree",
        "pair",
        {
            "float32": style("dtype float32"),
            "order": coeff("* * toy.pt Cu Ni Al"),
            "alike": coeff("* * toy.pt Ni Ni Ni"),
            "loose": coeff(f"* * loose.pt {SYMBOLS}"),
            "committee": coeff(f"* * committee.pt {SYMBOLS}", "pair_style unnp deviation d.out 1"),
        },
    ),
]
UNITS = [
    *_many(
        "units and atom styles",
        "error",
        "before",
        {
            **{name: f"units {name}" for name in ("lj", "si", "cgs", "electron", "micro", "nano", "none")},
            "no-ids": "units metal\natom_modify id no",
            "style-sphere": "units metal\natom_style sphere",
            "style-odd": "units metal\natom_style atomics",
            "dimension-2": "units metal\ndimension 2",
        },
    ),
    *_many(
        "units and atom styles",
        "base",
        "before",
        {
            "map-yes": "units metal\natom_modify map yes",
            "map-array": "units metal\natom_modify map array",
            "map-hash": "units metal\natom_modify map hash",
            "sort-0": "units metal\natom_modify sort 0 0.0",
            "sort-1": "units metal\natom_modify sort 1 3.0",
            "suffix": "units metal\nsuffix off",
        },
    ),
    Deck("units and atom styles", "units-real", "agree", before="units real"),
    Deck("units and atom styles", "special-zero", "either", after="special_bonds lj/coul 0 0 0\nfix 1 all nve"),
    Deck("units and atom styles", "special-one", "base", after="special_bonds lj/coul 1 1 1\nfix 1 all nve"),
]
BOUNDARIES = [
    *_many(
        "boundaries and tilts",
        "either",
        "before",
        {
            name.replace(" ", ""): f"units metal\nboundary {name}"
            for name in ("f f f", "s s s", "m m m", "p p f", "p p s", "f p p", "p s p", "fs p p", "m p s")
        },
    ),
    *_many(
        "boundaries and tilts",
        "agree",
        "data",
        {
            "tilted": "read_data tilted.data",
            "slab": "read_data a.data\nchange_box all z final -6 18",
            "small": "read_data pair.data",
            "tilt-later": "read_data a.data\nchange_box all triclinic",
            "strained": "read_data a.data\nchange_box all x scale 1.02 y scale 0.99 remap",
        },
    ),
    *_many(
        "boundaries and tilts",
        "either",
        "data",
        {
            "one-atom": "read_data primitive.data",
            "thin": "read_data a.data\nchange_box all x scale 0.05 remap",
            "huge": "read_data a.data\nchange_box all x scale 1e6",
            "flat": "read_data a.data\nchange_box all x final 0 0",
            "tilt-much": "read_data a.data\nchange_box all triclinic xy final 40",
        },
    ),
]
PARALLEL = [
    *_many(
        "newton, processors, comm",
        "base",
        "before",
        {
            "newton-off": "units metal\nnewton off",
            "newton-on": "units metal\nnewton on",
            "newton-pair": "units metal\nnewton on off",
            "map-grid": "units metal\nprocessors * 1 1",
            "map-z": "units metal\nprocessors 1 1 *",
            "numa": "units metal\nprocessors * * * map xyz",
            "cutoff": "units metal\ncomm_modify cutoff 6.0",
            "cutoff-small": "units metal\ncomm_modify cutoff 1.0",
            "vel": "units metal\ncomm_modify vel yes",
        },
    ),
    *_many(
        "newton, processors, comm",
        "either",
        "before",
        {
            "tiled": "units metal\ncomm_style tiled",
            "multi": "units metal\ncomm_modify mode multi",
            "group": "units metal\ncomm_modify group all",
            "processors-3": "units metal\nprocessors 3 1 1",
            "cutoff-huge": "units metal\ncomm_modify cutoff 60.0",
            "cutoff-minus": "units metal\ncomm_modify cutoff -3",
            "multi-wide": "units metal\ncomm_modify mode multi/old",
        },
    ),
    *_many(
        "newton, processors, comm",
        "base",
        "after",
        {
            "balance": "balance 0.9 shift xyz 5 1.05\nfix 1 all nve",
            "balance-x": "balance 1.0 x uniform\nfix 1 all nve",
        },
    ),
    Deck(
        "newton, processors, comm",
        "newton-balance-fix",
        "agree",
        after="fix 1 all nve\nfix b all balance 1 0.9 shift xyz 5 1.05",
    ),
    Deck(
        "newton, processors, comm",
        "newton-tiled-rcb",
        "either",
        before="units metal\ncomm_style tiled",
        after="balance 0.9 rcb\nfix 1 all nve",
    ),
]
NEIGHBOURS = [
    *_many(
        "neighbours",
        "base",
        "after",
        {
            "skin-0": "neighbor 0.0 bin\nfix 1 all nve",
            "skin-2": "neighbor 2.0 bin\nfix 1 all nve",
            "nsq": "neighbor 1.0 nsq\nfix 1 all nve",
            "multi": "neighbor 1.0 multi\nfix 1 all nve",
            "always": "neigh_modify every 1 delay 0 check no\nfix 1 all nve",
            "one": "neigh_modify one 4000 page 100000\nfix 1 all nve",
            "binsize": "neigh_modify binsize 2.0\nfix 1 all nve",
            "once": "neigh_modify once no\nfix 1 all nve",
            "cluster": "neigh_modify cluster yes\nfix 1 all nve",
            "nothing-excluded": "group none empty\nneigh_modify exclude group none all\nfix 1 all nve",
        },
    ),
    *_many(
        "neighbours",
        "either",
        "after",
        {
            "exclude-type": "neigh_modify exclude type 1 2\nfix 1 all nve",
            "exclude-all": "neigh_modify exclude group all all\nfix 1 all nve",
            "few": "neigh_modify one 3 page 30\nfix 1 all nve",
            "skin-minus": "neighbor -1.0 bin\nfix 1 all nve",
        },
    ),
]
