"""Commands and saved states that fix momt has to refuse, each with a part of what it has to say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from momt_oracle import Opes
from momt_systems import ORDERS, T0, opes_state, write_state

START = "T0 900 temps 650 1400 12"
SK = "order sk fcc 2 2 2"
OPES = f"{START} {SK} mode opes pace 5"
NONE = f"{START} order none mode opes pace 5"
NVE = "fix box all nve\n"
NPH = "fix box all nph aniso 0 0 1 ptemp 900\n"
TILTED = "change_box all triclinic xy final 4.0419\n"  # nearly half an edge: the crystal repeats there too
SHEAR = "fix box all nph x 0 0 1 y 0 0 1 z 0 0 1 xy -300000 -300000 0.05 ptemp 900\n"
WT = f"{START} {SK} mode wt pace 5"


def fix(words: str, name: str = "momt", group: str = "all") -> str:
    return f"fix {name} {group} momt {words}\n"


WORDS = {
    "no_words": ("", "give the temperature of the thermostat"),
    "t0_missing": ("temps 650 1400 8 order none mode opes pace 5", "give the temperature of the thermostat, T0"),
    "t0_negative": (NONE.replace("900", "-900", 1), "T0, above 0"),
    "t0_text": (NONE.replace("900", "hot", 1), "'T0' takes a number, not 'hot'"),
    "t0_nan": (NONE.replace("900", "nan", 1), "'T0' takes a number, not 'nan'"),
    "t0_outside": (NONE.replace("900", "1500", 1), "T0 has to lie within temps"),
    "temps_missing": ("T0 900 order none mode opes pace 5", "give the range of temperatures"),
    "temps_inverted": (NONE.replace("650 1400", "1400 650"), "0 < TMIN <= TMAX"),
    "temps_none": (NONE.replace("1400 12", "1400 0"), "'temps' takes a whole number from 1, not '0'"),
    "mode": (NONE.replace("opes", "ops"), "there is no mode 'ops'; there are opes, wt, wl. Did you mean 'opes'?"),
    "order": (NONE.replace("none", "q7 3 4"), "there is no order parameter 'q7'"),
    "lattice": (OPES.replace("fcc", "hcp"), "hcp"),
    "keyword": (NONE.replace("pace", "pase"), "unknown keyword 'pase'"),
    "keyword_hint": (NONE.replace("pace", "pase"), "Did you mean 'pace'?"),
    "value_missing": (f"{NONE} sigma", "the keyword 'sigma' needs more values"),
    "pace_zero": (NONE.replace("pace 5", "pace 0"), "'pace' takes a whole number from 1, not '0'"),
    "wl_enthalpy": (f"{START} {SK} mode wl pace 5", "mode wl needs the grid of H: enthalpy HMIN HMAX N"),
    "wl_inverted": (f"{START} {SK} mode wl pace 5 enthalpy 5 -5 10", "HMIN < HMAX"),
    "wt_none": (f"{START} order none mode wt pace 5", "give one with order"),
    "wt_gamma": (f"{WT} gamma 1", "gamma above 1"),
    "wt_height": (f"{WT} height -0.1", "height has to be above 0"),
    "range": (f"{OPES} range 0.9 0", "range takes SMIN SMAX with SMIN < SMAX"),
    "sigma": (f"{OPES} sigma 0", "sigma has to be above 0"),
    "basins": (f"{OPES} basins 0.4 0.3", "basins takes LO HI with LO < HI"),
    "barrier": (f"{OPES} barrier -1", "cannot be negative"),
    "triplet_zero": (f"{START} order sk list 1 0 0 0 mode opes pace 5", "0 0 0"),
    "triplet_fraction": (f"{START} order sk list 1 1.5 0 0 mode opes pace 5", "whole number"),
    "cells_zero": (f"{START} order sk fcc 2 0 2 mode opes pace 5", "sk"),
    "q6_inverted": (f"{START} order q6 4.2 3.0 mode opes pace 5", "q6"),
    "umbrellas": (f"{OPES} sigma 1e-9", "1.08e+10 states (temperatures times umbrellas)"),
    "temperatures": (OPES.replace("1400 12", "1400 999999"), "take a larger sigma or fewer temperatures"),
    "hills": (f"{WT} sigma 1e-12", "points of hills"),
    "bins": (f"{START} {SK} mode wl pace 5 enthalpy -110 -90 1000000 bins 1000000", "1e+12 bins"),
    "bins_of_order": (f"{START} {SK} mode wl pace 5 enthalpy -110 -90 24 bins 1000000", "smaller numbers"),
    "triplets": (f"{START} order sk list 9000000000000000000 1 1 1 mode opes pace 5", "as many triplets"),
    "no_start": (f"{OPES} start nofile.json", "cannot read the state file 'nofile.json'"),
}
SYSTEMS = {
    "after_barostat": (NPH + fix(f"{OPES} press 0"), "define fix momt first"),
    "after_langevin": ("fix bath all langevin 900 900 0.1 7\n" + fix(OPES) + NVE, "define fix momt first"),
    "respa": ("run_style respa 2 2\n" + fix(OPES) + NVE, "respa"),
    "press_no_barostat": (fix(f"{OPES} press 5000") + NVE, "no fix changes the volume"),
    "barostat_no_press": (fix(OPES) + NPH, "add  press P0"),
    "other_pressure": (fix(f"{OPES} press 5000") + NPH, "holds the pressure 0"),
    "other_temperature": (fix(f"{OPES} observe 0") + "fix box all nvt temp 800 800 0.1\n", "holds the temperature 800"),
    "other_temperature_observed": (fix(OPES) + "fix box all nvt temp 800 800 0.1\n", "holds the temperature 800"),
    "other_temperature_csvr": (fix(OPES) + NVE + "fix t all temp/csvr 950 950 0.1 7\n", "holds the temperature 950"),
    "ramp": (fix(OPES) + "fix box all nvt temp 900 910 0.1\n", "T0 is 900, but fix box nvt holds"),
    "trial_moves": (fix(OPES) + NVE + "fix mc all gcmc 1 5 5 1 77 900 -3 0.1\n", "fix mc gcmc tries moves"),
    "height": (fix(f"{WT} height 1e308 observe 1 pace 1") + NVE, "height, barrier, memory, increment"),
    "q6_cutoff": (fix(f"{START} order q6 3.0 9.0 mode opes pace 5") + NVE, "the pair style reaches 6.5"),
    "group": ("group some id 1:4\n" + fix(OPES, group="some") + NVE, "works on the group all, not on 'some'"),
    "twice": (fix(OPES) + fix(OPES, "second") + NVE, "a system has one bias"),
    "fewer_atoms": (fix(OPES) + NVE + "run 0\ngroup one id 1\ndelete_atoms group one\n", "number of atoms has changed"),
    "no_pair": ("pair_style none\n" + fix(OPES) + NVE, "there is no pair style"),
    "log_folder": (fix(f"{OPES} log nowhere/a.log 1") + NVE, "cannot write the log 'nowhere/a.log'"),
    "state_folder": (fix(f"{OPES} state nowhere/s.json 1") + NVE, "cannot write the state 'nowhere/s.json'"),
    "flipped_box": (TILTED + fix(f"{OPES} press 0 freeze 0") + SHEAR + "run 400\n", "flip no"),
}


def good_state(**other: Any) -> Callable[[Path], object]:
    bias = Opes(T0, np.linspace(650, 1400, 12), np.zeros((12, 1)))
    return lambda path: write_state(path, "opes", ORDERS["none"], None, opes_state(bias), **other)


def learnt(**counters: Any) -> Callable[[Path], object]:
    """Return what writes a state with other counters of the bias."""
    return _changed(lambda state: state["bias"].update(counters))


def _changed(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        good_state()(path)
        state = json.loads(path.read_text())
        change(state)
        path.write_text(json.dumps(state))

    return write


def cut_state(path: Path) -> None:
    good_state()(path)
    path.write_text(path.read_text()[:-300])


STATES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda p: p.write_text(""), "cannot read the state file"),
    "text": (lambda p: p.write_text("hello"), "text.json: not valid JSON"),
    "list": (lambda p: p.write_text("[1, 2]"), "is not of the format"),
    "cut": (cut_state, "cut.json: not valid JSON"),
    "format": (good_state(format="unnp momt state 2"), "is not of the format"),
    "mode": (good_state(mode="wt"), "is of mode wt, not opes"),
    "order": (good_state(order="q6"), "has the order parameter q6, not none"),
    "temperature": (good_state(temperature=800.0), "T0"),
    "pressure": (good_state(pressure=0.0), "press"),
    "atoms": (good_state(atoms=31), "atoms"),
    "no_bias": (_changed(lambda s: s.pop("bias")), "bias"),
    "bias_list": (good_state(bias=[1.0]), "is not an object"),
    "temperatures": (_changed(lambda s: s["bias"]["temperatures"].pop()), "other values of temps"),
    "too_few": (_changed(lambda s: s["bias"]["free_energies"].pop()), "'free_energies'"),
    "null": (_changed(lambda s: s["bias"]["free_energies"][3].__setitem__(0, None)), "something else than numbers"),
    "updates": (learnt(updates=-3), "whole number"),
    "updates_huge": (learnt(updates=1e300), "whole number"),
    "passages": (good_state(passages=-1e300), "whole number"),
    "infinite": (
        lambda p: (good_state()(p), p.write_text(p.read_text().replace("-0.123", "1e999"))),
        "too large or too small",
    ),
    "updates_text": (learnt(updates="many"), "updates"),
    "no_rct": (_changed(lambda s: s["bias"].pop("rct")), "has no 'rct'"),
    "frozen": (good_state(frozen="yes"), "'frozen' of the saved state is not true or false"),
    "deep": (lambda p: p.write_text("[" * 200000), "nested too deeply"),
}

RESTARTS = {
    "temperature": (OPES.replace("T0 900", "T0 850"), "T0"),
    "temps": (OPES.replace("1400 12", "1500 12"), "temps"),
    "mode": (OPES.replace("mode opes", "mode wt"), "mode opes, not wt"),
    "order": (OPES.replace(SK, "order q6 3.0 4.2"), "order parameter"),
    "triplets": (OPES.replace("fcc 2 2 2", "bcc 2 2 2"), "order"),
    "umbrellas": (f"{OPES} sigma 0.05", "range, sigma or order"),
    "press": (f"{OPES} press 0", "press"),
}
