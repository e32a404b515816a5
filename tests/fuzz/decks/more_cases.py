"""Further decks: fixes, minimisers, hybrids, odd atoms, commands in odd places, fix momt."""

from __future__ import annotations

from decks.cases import SYMBOLS, Deck, _many, coeff, style
from momt_bad_input import WORDS

FIXES = [
    *_many(
        "fixes",
        "agree",
        "after",
        {
            "nvt": "fix 1 all nvt temp 300 300 0.1",
            "npt": "fix 1 all npt temp 300 300 0.1 iso 0 0 1",
            "npt-tri": "change_box all triclinic\nfix 1 all npt temp 300 300 0.1 tri 0 0 1",
            "nph": "fix 1 all nph aniso 0 0 1",
            "csvr": "fix 1 all nve\nfix 2 all temp/csvr 300 300 0.1 471",
            "berendsen": "fix 1 all nve\nfix 2 all temp/berendsen 300 300 0.1",
            "setforce": "fix 1 all nve\nfix 2 all setforce 0 0 0",
            "addforce": "fix 1 all nve\nfix 2 all addforce 0.1 0 0",
            "recenter": "fix 1 all nve\nfix 2 all recenter INIT INIT INIT",
            "momentum": "fix 1 all nve\nfix 2 all momentum 1 linear 1 1 1",
            "deform": "fix 1 all nve\nfix 2 all deform 1 x erate 0.1",
            "spring": "fix 1 all nve\nfix 2 all spring/self 10",
            "ave": "fix 1 all nve\nfix 2 all ave/time 1 1 1 c_thermo_press file ave.out",
            "stress": "fix 1 all nve\ncompute s all stress/atom NULL\nfix 2 all ave/atom 1 1 1 c_s[1]",
            "heat": "compute k all ke/atom\ncompute p all pe/atom\ncompute s all centroid/stress/atom NULL virial\n"
            "compute f all heat/flux k p s\nthermo_style custom step pe press c_f[1]\nfix 1 all nve",
            "nve-limit": "fix 1 all nve/limit 0.01",
            "move": "fix 1 all move linear 0.1 0 0",
            "viscous": "fix 1 all nve\nfix 2 all viscous 0.1",
            "store": "fix 1 all nve\nfix 2 all store/state 1 x y z",
        },
    ),
    *_many(
        "fixes",
        "either",
        "after",
        {
            "momt-absent-plugin-word": "fix 1 all momtt T0 900",
            "gcmc": "fix 1 all nve\nfix 2 all gcmc 1 5 5 1 29 300 -1.0 0.1",
            "widom": "fix 1 all nve\nfix 2 all widom 1 3 1 29 300",
            "swap": "fix 1 all nve\nfix 2 all atom/swap 1 3 29 300 ke no types 1 2",
            "qeq": "fix 1 all nve\nfix 2 all qeq/point 1 10 1e-6 200 p",
            "respa": "run_style respa 2 2 pair 1\nfix 1 all nve",
        },
    ),
]
MINIMISERS = [
    *_many(
        "minimisers",
        "agree",
        "run",
        {name: f"min_style {name}\nminimize 0 1e-8 3 30" for name in ("cg", "sd", "hftn", "quickmin", "fire")},
    ),
    Deck("minimisers", "box-relax", "agree", after="fix 1 all box/relax iso 0", run="minimize 0 1e-8 3 30"),
]
LJ = "pair_coeff * * lj/cut 0.01 2.5"
OVER = f"pair_style hybrid/overlay unnp lj/cut 3.0\npair_coeff * * unnp toy.pt {SYMBOLS}\n"
HYBRID = [
    *_many(
        "hybrid",
        "agree",
        "pair",
        {
            "overlay": OVER + LJ,
            "overlay-zero": OVER.replace("lj/cut 3.0", "zero 6.0") + "pair_coeff * * zero",
            "scaled": f"pair_style hybrid/scaled 0.5 unnp 0.5 lj/cut 3.0\npair_coeff * * unnp toy.pt {SYMBOLS}\n{LJ}",
            "null": "pair_style hybrid unnp lj/cut 3.0\npair_coeff * * unnp toy.pt Ni Al NULL\n"
            "pair_coeff 1*3 3 lj/cut 0.01 2.5",
            "alone": f"pair_style hybrid unnp\npair_coeff * * unnp toy.pt {SYMBOLS}",
        },
    ),
    *_many(
        "hybrid",
        "either",
        "pair",
        {
            "twice": f"pair_style hybrid/overlay unnp unnp\npair_coeff * * unnp 1 toy.pt {SYMBOLS}\n"
            f"pair_coeff * * unnp 2 loose.pt {SYMBOLS}",
            "missing-pair": "pair_style hybrid unnp lj/cut 3.0\npair_coeff * * unnp toy.pt Ni Al NULL",
            "no-null": f"pair_style hybrid unnp lj/cut 3.0\npair_coeff 1 1 unnp toy.pt {SYMBOLS}\n{LJ}",
            "all-null": f"pair_style hybrid/overlay unnp lj/cut 3.0\npair_coeff * * unnp toy.pt NULL NULL NULL\n{LJ}",
        },
    ),
    *_many(
        "hybrid",
        "either",
        "after",
        {
            f"modify-{name.replace(' ', '-')}": f"pair_modify {name}\nfix 1 all nve"
            for name in ("shift yes", "tail yes", "mix arithmetic", "table 12", "compute no", "nofdotr")
        },
    ),
]
ODD_ATOMS = [
    *_many(
        "odd atoms",
        "either",
        "after",
        {
            "same-place": "create_atoms 1 single 0 0 0\ncreate_atoms 1 single 0 0 0\nfix 1 all nve",
            "near": "set atom 1 x 0.2 y 0.1 z 0\nfix 1 all nve",
            "far": "set atom 1 x 1e8\nfix 1 all nve",
            "nan": "set atom 1 x 1e400\nfix 1 all nve",
            "fast": "velocity all scale 1e7\nfix 1 all nve",
            "heavy": "mass 1 1e300\nfix 1 all nve",
            "light": "mass 1 1e-300\nfix 1 all nve",
            "no-mass": "mass 1 0\nfix 1 all nve",
            "long-step": "timestep 10\nfix 1 all nve",
            "hot": "velocity all create 1e6 11 loop geom\nfix 1 all nve",
            "type-4": "set atom 1 type 4\nfix 1 all nve",
            "ids-high": "reset_atoms id\nfix 1 all nve",
        },
    ),
    *_many(
        "odd atoms",
        "agree",
        "after",
        {
            "none": "delete_atoms group all compress no\nfix 1 all nve",
            "one": "group a id > 1\ndelete_atoms group a\nfix 1 all nve",
            "half-empty": "region r block INF 5 INF INF INF INF\ndelete_atoms region r\nfix 1 all nve",
            "two-apart": "group a id 1 108\ngroup b subtract all a\ndelete_atoms group b\nfix 1 all nve",
        },
    ),
]
PAIR = f"pair_style unnp\npair_coeff * * toy.pt {SYMBOLS}"
COMMANDS = [
    *_many(
        "commands",
        "agree",
        "run",
        {
            "twice": "run 2\nrun 2",
            "no-pre": "run 2\nrun 2 pre no",
            "every": "run 4 every 2 'print x'",
            "zero": "run 0",
            "restart": f"run 2\nwrite_restart r\nclear\nread_restart r\nfix 1 all nve\n{PAIR}\nthermo 1\n"
            "thermo_style custom step pe press pxx pyy pzz\nthermo_modify format float %.12g norm no\nrun 2",
            "restart-style-kept": "run 2\nwrite_restart r\nclear\nread_restart r\nfix 1 all nve\nthermo 1\n"
            "thermo_style custom step pe press pxx pyy pzz\nthermo_modify format float %.12g norm no\nrun 2",
            "rerun": "dump d all custom 1 d.dump id type x y z\nrun 3\nundump d\nunfix 1\nrerun d.dump dump x y z",
            "replicate": "unfix 1\nreplicate 2 1 1\nfix 1 all nve\nrun 2",
            "style-changed": f"run 2\n{style('halo wide')}\nrun 2",
            "pair-none": f"run 1\npair_style none\n{PAIR}\nrun 2",
            "displace": "run 1\ndisplace_atoms all random 0.05 0.05 0.05 7\nrun 2",
            "delete": "run 1\ngroup g id 5\ndelete_atoms group g\nrun 2",
            "write-data": "run 1\nwrite_data w.data\nrun 1",
            "reset-timestep": "run 1\nreset_timestep 1000000000\nrun 1",
            "change-box": "run 1\nchange_box all x scale 1.01 remap\nrun 2",
            "types-changed": "run 1\nset type 2 type 3\nrun 2",
            "timer": "timer full\nrun 2",
            "dynamic-load": "run 1\nbalance 0.9 shift x 5 1.01\nrun 2",
        },
    ),
    *_many(
        "commands",
        "either",
        "run",
        {
            "local": "compute l all pair/local eng\nrun 1",
            "coord-pair-write": "pair_write 1 1 10 r 1 3 w.txt x\nrun 1",
            "neb": "neb 0 0.01 10 10 5 final none",
            "tad": "tad 10 5 300 1000 0.01 0.1 c",
            "clear": "clear\nrun 1",
            "new-style-no-coeff": "run 1\npair_style unnp\nrun 1",
            "kim": "kim init x metal",
            "unload": "plugin unload pair unnp\nrun 1",
            "fp-adapt": "fix a all adapt 1 pair unnp scale * * v_x\nrun 1",
            "born": "compute b all born/matrix numdiff 1e-3 myvir\nrun 1",
            "halt": "fix h all halt 1 step > 1\nrun 4",
            "compute-tally": "compute f all force/tally all\nrun 1",
            "nothing": "run",
        },
    ),
]
EAM = "pair_style eam/fs\npair_coeff * * Al_mm.eam.fs Al Al Al"
MOMT_FIX = "fix m all momt T0 900 temps 650 1400 12 order sk fcc 3 3 3 pace 2 log m.log 1 "
NPH = "\nfix 1 all nph iso 0 0 1 ptemp 900"
MOMT = [
    *[
        Deck("fix momt", f"momt-{name}", "error", pair=EAM, after=f"fix m all momt {words}\nfix 1 all nve")
        for name, (words, _) in WORDS.items()
    ],
    *[
        Deck("fix momt", f"momt-{name}", "either", pair=EAM, after=MOMT_FIX + words + NPH)
        for name, words in {
            "sigma-1e-9": "sigma 1e-9",
            "sigma-1e-300": "sigma 1e-300",
            "sigma-inf": "sigma inf",
            "temps-many": "temps 650 1400 100000000",
            "range-wide": "range -1e9 1e9",
            "barrier-huge": "barrier 1e300",
            "press-huge": "press 1e300",
            "observe-huge": "observe 999999999999",
            "memory-huge": "memory 1e300",
            "free-2": "free 2",
            "bins-many": "mode wl enthalpy -1e9 1e9 100000000 bins 100000000",
            "log-device": "log /dev/full 1",
            "log-folder": "log . 1",
            "state-device": "state /dev/full 1",
            "state-folder": "state . 1",
            "start-device": "start /dev/zero",
            "start-fifo": "start pipe",
            "gamma-inf": "mode wt gamma inf",
            "height-huge": "mode wt height 1e300",
        }.items()
    ],
    *[
        Deck("fix momt", f"momt-runs-{name}", "agree", pair=pair, after=MOMT_FIX + words + NPH)
        for name, (pair, words) in {
            "plain": (EAM, "press 0"),
            "wt": (EAM, "press 0 mode wt"),
            "unnp": (coeff(f"* * toy.pt {SYMBOLS}"), "press 0"),
            "frozen": (EAM, "press 0 freeze 0"),
        }.items()
    ],
]
