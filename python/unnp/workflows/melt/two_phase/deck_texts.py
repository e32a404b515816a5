"""Input decks of the stages with two phases, as LAMMPS reads them but for the places in braces."""

from __future__ import annotations

TITLES = {
    "solid": "solid crystal: its box, then its order in it",
    "melt": "half of the crystal melted, the other half held",
    "coexistence": "crystal and melt at constant enthalpy",
    "pinning": "crystal and melt at constant temperature, held by a field",
}

BEGIN = """\
# {system}
# {title}

{world}
read_data       {data}

{potential}

{timestep}
"""

# Crystal-like atoms and temperature of a group, averaged or sampled at a stride.
MEASURE = """\
compute         q6 all orientorder/atom degrees 1 6 nnn NULL cutoff {radius} components 6
compute         aligned all coord/atom orientorder q6 {aligned:g}
variable        crystal atom c_aligned>{share}
compute         crystal {group} reduce ave v_crystal
compute         temperature {group} temp
variable        lx equal lx
variable        ly equal ly
variable        lz equal lz
variable        enthalpy equal enthalpy
fix             crystal all ave/time {stride} 1 {stride} c_crystal
fix             means all ave/time 10 {tenth} {stride} c_temperature v_enthalpy
thermo_style    custom {columns}
thermo          {stride}
{thermo_format}
"""

ORDER = """\
fix             order all rhok {nx} {ny} 0 {stiffness} {anchor}
fix             order_mean all ave/time 10 {tenth} {stride} f_order[3]
thermo_style    custom {columns} f_order_mean
{thermo_format}
"""

PROFILE = """\
compute         layers all chunk/atom bin/1d z lower {width} units reduced
fix             profile all ave/chunk {stride} {samples} {each} layers &
                density/number v_crystal file {file}
"""

# Half of the heat of the first velocities goes into the potential energy of the lattice.
SOLID = """\
{begin}{velocities}
{measure}
fix             npt all npt temp {bath} {piston}
run             {equilibration}
fix             box all ave/time 5 {fifth} {stride} v_lx v_ly v_lz ave running
run             {averaging}
variable        a equal $(f_box[1])
variable        b equal $(f_box[2])
variable        c equal $(f_box[3])
unfix           npt
unfix           box
change_box      all x final 0 $a y final 0 $b z final 0 $c remap units box

fix             nvt all nvt temp {bath}
{order}run             {settling}
write_data      solid.data nocoeff
"""

# The core of the melt is without the layers that the crystal orders.
MELT = """\
{begin}region          melt block INF INF INF INF $(0.25*lz) $(0.75*lz) side out units box
group           melt region melt
region          core block INF INF INF INF $(0.125*lz) $(0.875*lz) side out units box
group           core region core
{measure}{velocities}

fix             nph melt nph {piston} dilate melt
fix             bath melt temp/csvr {hot_bath} {seeds[0]}
run             {melting}
fix             bath melt temp/csvr {bath} {seeds[1]}
run             {cooling}
unfix           bath
unfix           nph
fix             nph all nph {piston}
fix             bath all temp/csvr {bath} {seeds[2]}
run             {settling}
write_data      {written} nocoeff
"""

COEXISTENCE = """\
{begin}velocity        all zero linear
{measure}{profile}
fix             nph all nph {piston}
run             {steps}
write_data      {written} nocoeff
"""

PINNING = """\
{begin}velocity        all zero linear
{measure}{profile}
fix             npt all npt temp {bath} {piston}
{order}run             {steps}
write_data      {written} nocoeff
"""
