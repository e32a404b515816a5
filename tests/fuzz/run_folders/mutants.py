"""Damaged folders of interrupted runs of LAMMPS, and damaged state files of fix momt.

Flipped bits in LAMMPS' restart files, logs and trajectories are left out: LAMMPS writes them without checksums.
"""

from __future__ import annotations

from mutations import ODD_VALUES, Mutant, changed_json, file_damage, put, take, text_damage

GIVEN_AGAIN = "it is compared with what is given again, or written anew"
OLDER = "an older one takes its place, or the run begins again"
SEEDS = {"flip0", "flip1", "flip2"}


def _without_flips(due: str = "same", why: str = OLDER) -> list[Mutant]:
    return [mutant for mutant in file_damage("same", why=why) if mutant.name not in SEEDS]


def _some(mutants: list[Mutant], step: int, first: int = 0) -> list[Mutant]:
    return mutants[first::step]


SETTINGS = [*file_damage("same", why=GIVEN_AGAIN), *text_damage("same")]
WHOLE = file_damage("same", flips=2, why=GIVEN_AGAIN)

FOLDERS: dict[str, list[Mutant]] = {
    "md": [
        *(m.within("md.yaml") for m in SETTINGS),
        *(m.within("system.json") for m in SETTINGS),
        *(m.within("restart.a") for m in _without_flips()),
        *(m.within("restart.b") for m in _without_flips()),
        *(m.within("in.lammps") for m in _some(WHOLE, 3)),
        *(m.within("structure.data") for m in _some(WHOLE, 3)),
        *(m.within("Al_mm.eam.fs") for m in WHOLE),
        *(m.within("log.lammps") for m in _without_flips()),
        *(m.within("trajectory.extxyz") for m in _without_flips()),
    ],
    "ramp": [
        *(m.within("ramp.yaml") for m in _some(SETTINGS, 3)),
        *(m.within("system.json") for m in _some(SETTINGS, 3, 1)),
        *(m.within("Al_mm.eam.fs") for m in _some(WHOLE, 4)),
        *(m.within("log.lammps") for m in _some(_without_flips(), 2)),
        *(m.within("rdf.dat") for m in _some(_without_flips(), 2, 1)),
    ],
    "sample momt": [
        *(m.within("momt.yaml") for m in _some(SETTINGS, 4)),
        *(m.within("progress.json") for m in _some(SETTINGS, 2, 1)),
        *(m.within("system.json") for m in _some(SETTINGS, 4, 3)),
        *(m.within("adapt/state.json") for m in _some(SETTINGS, 4, 2)),
        *(m.within("production/momt.0.log") for m in _some(_without_flips(), 3)),
        *(m.within("adapt/momt.1.log") for m in _some(_without_flips(), 3, 1)),
        *(m.within("Al_mm.eam.fs") for m in _some(WHOLE, 4, 1)),
        *(m.within("structure.data") for m in _some(WHOLE, 5, 2)),
    ],
    "melt": [
        *(m.within("melt.yaml") for m in _some(SETTINGS, 4)),
        *(m.within("cells/840K/solid.json") for m in _some(SETTINGS, 2)),
        *(m.within("cells/840K/solid.data") for m in _some(_without_flips(), 4)),
        *(m.within("cells/840K/Al_mm.eam.fs") for m in _some(WHOLE, 6, 1)),
    ],
}

PLACES: list[tuple[str, ...]] = [
    *(
        (key,)
        for key in ("format", "mode", "order", "temperature", "pressure", "atoms", "step", "passages", "frozen", "bias")
    ),
    *(
        ("bias", key)
        for key in ("temperatures", "umbrellas", "sigma", "free", "bridge", "free_energies", "updates", "rct")
    ),
]
INFORMATION = {"step", "passages", "rct", "frozen"}
MAY_CHANGE = "a counter that a new run does not go on from, or that changes no force"


def _state() -> list[Mutant]:
    names = list(ODD_VALUES)
    made = [
        m for m in [*file_damage(flips=0), *text_damage()] if m.name not in ("more", "less-one")
    ]  # after the last brace
    made.append(Mutant("flips-in-numbers", lambda path: path.write_text(path.read_text().replace("1", "l", 3))))
    for k, place in enumerate(PLACES):
        title = "-".join(place)
        due, why = ("same", MAY_CHANGE) if place[-1] in INFORMATION else ("error", "")
        made.append(Mutant(f"without-{title}", changed_json(lambda d, p=place: take(d, p)), due, why))
        for name in (names[k % 12], names[(k + 4) % 12], names[(k + 8) % 12]):
            value = ODD_VALUES[name]
            made.append(Mutant(f"{title}-{name}", changed_json(lambda d, p=place, v=value: put(d, p, v)), due, why))
    odd = {"nan": float("nan"), "infinite": float("inf"), "null": None, "text": "1", "huge": 1e300, "list": [1]}
    for name, value in odd.items():
        made.append(
            Mutant(
                f"free_energies-inner-{name}",
                changed_json(lambda d, v=value: put(d, ("bias", "free_energies", 3, 0), v)),
            )
        )
        made.append(
            Mutant(
                f"temperatures-inner-{name}", changed_json(lambda d, v=value: put(d, ("bias", "temperatures", 3), v))
            )
        )
    # A bias that has learnt nothing yet may have any energies: a count of zero is a state of its own.
    made = [m for m in made if m.name != "bias-updates-zero"]
    made.append(Mutant("short-row", changed_json(lambda d: take(d, ("bias", "free_energies", 2, 0)))))
    made.append(Mutant("short-column", changed_json(lambda d: take(d, ("bias", "free_energies", 2)))))
    return made


STATE = _state()
