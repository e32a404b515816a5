"""Dumps of LAMMPS: whole frames, tilted boxes, and what is cut or damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from unnp.errors import LammpsError
from unnp.lammps.dump_file import read_dump, renumbered

FRAME = """ITEM: TIMESTEP
{step}
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS xy xz yz pp pp pp
-0.5 6.0 -0.5
0.0 5.0 1.0
1.0 4.0 0.25
ITEM: ATOMS type x y z
1 0.5 1 2
2 1.5 2 3
"""


def dump(folder: Path, text: str) -> Path:
    path = folder / "frames.lammpstrj"
    path.write_text(text)
    return path


def test_frames_are_read_with_their_box_and_place(tmp_path: Path) -> None:
    path = dump(tmp_path, FRAME.format(step=0) + FRAME.format(step=25))
    first, second = read_dump(path)
    assert (first.step, second.step) == (0, 25)
    assert second.table().tolist() == [[1, 0.5, 1, 2], [2, 1.5, 2, 3]]
    origin, cell = second.box()
    assert origin.tolist() == [0.0, 0.0, 1.0]
    assert np.allclose(cell, [[5.0, 0, 0], [-0.5, 4.75, 0], [1.0, 0.25, 3.0]])
    content = path.read_bytes()[second.begin : second.end]
    assert content.decode() == FRAME.format(step=25)
    assert renumbered(content, 7).decode() == FRAME.format(step=7)


@pytest.mark.parametrize("lines", [1, 8, 10])
def test_a_frame_cut_short_is_left_out(tmp_path: Path, lines: int) -> None:
    cut = "".join(FRAME.format(step=25).splitlines(keepends=True)[:lines])
    assert [frame.step for frame in read_dump(dump(tmp_path, FRAME.format(step=0) + cut))] == [0]
    assert [frame.step for frame in read_dump(dump(tmp_path, FRAME.format(step=0) + FRAME.format(step=1)[:-1]))] == [0]


@pytest.mark.parametrize("change", [("TIMESTEP", "TIME"), ("{step}", "x"), ("ATOMS\n2", "ATOMS\n-2")])
def test_damage_is_said(tmp_path: Path, change: tuple[str, str]) -> None:
    path = dump(tmp_path, FRAME.replace(*change).format(step=0))
    with pytest.raises(LammpsError, match=r"frames.lammpstrj is damaged: where a frame should begin"):
        list(read_dump(path))
    with pytest.raises(LammpsError, match=r"cannot read .*absent"):
        list(read_dump(tmp_path / "absent"))
