"""What passes the adsorption test, why something does not, and what the tables leave open."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import fcc111
from unnp.workflows.adsorption import judge as judging
from unnp.workflows.adsorption.judge import End, Verdict, judge, slab_motion
from unnp.workflows.adsorption.report import notes, result_rows
from unnp.workflows.neb.band import Band


def end(name: str, above: float, bonded: bool = True, slab_moved: float = 0.1, **other) -> End:
    given = {"on_slab": True, "site": "top"} | other
    return End(name, 1.0 + above, above, bonded, slab_moved=slab_moved, **given)


@pytest.mark.parametrize(
    ("further", "same", "lower"),
    [
        ([end("put", 0.0), end("shaken", -0.5)], True, []),  # a better site, not a broken molecule
        ([end("put", -0.4)], False, []),
        ([end("put", 0.0, bonded=False)], False, []),
        ([end("put", 0.0, on_slab=False)], False, []),
        ([end("put", 0.01, from_alike=1.4)], False, []),  # in another hollow
        ([end("put", 0.01, from_alike=0.3)], True, []),
        ([end("put", 0.0), end("shaken", 0.0, from_alike=1.4)], True, []),
        ([end("put", 0.0), end("shaken", -0.5, on_slab=False)], True, ["shaken"]),
        ([end("put", 0.0), end("shaken", 0.5, on_slab=False)], True, []),
        ([end("put", 0.0), end("shaken", -0.5, bonded=False)], True, ["shaken"]),
        ([end("put", 0.0), end("shaken", -0.5, slab_moved=2.0)], True, ["shaken"]),
        ([end("put", 0.0), end("shaken", 0.5, bonded=False)], True, []),
        ([end("put", 0.0, problem="no minimum")], None, []),
    ],
)
def test_what_passes(further: list[End], same: bool | None, lower: list[str]) -> None:
    verdict = judge([end("adsorbed", 0.0), *further])
    assert (verdict.same, verdict.broken_lower) == (same, lower)
    assert verdict.passed == (same is True and not lower)
    assert verdict.passed == (not verdict.reasons)
    for lost in ({"bonded": False}, {"on_slab": False}, {"slab_moved": 2.0}):
        assert not judge([end("adsorbed", 0.0, **lost), *further]).passed


def test_on_the_way_to_the_dissociated_state_only_the_slab_has_to_be_whole() -> None:
    ends = [end("adsorbed", 0.0), end("put", 0.0)]
    apart, in_ruins = end("apart", -0.5, bonded=False), end("in ruins", -0.5, slab_moved=2.0)
    assert judge(ends, [apart]).passed
    assert judge(ends, [apart, in_ruins]).broken_lower == ["in ruins"]


def test_a_layer_that_slides_to_another_stacking_is_no_broken_slab() -> None:
    bare = fcc111("Cu", (2, 2, 4), vacuum=8.0)
    a = bare.cell.lengths()[0] / 2
    slid = bare.copy()
    top = slid.positions[:, 2] > slid.positions[:, 2].max() - 0.1
    slid.positions[top] += (0, a / 3**0.5, 0.1)
    slid.wrap()
    moved, slide = slab_motion(slid, bare)
    assert slide == pytest.approx(a / 3**0.5)
    assert moved == pytest.approx(0.1)
    broken = slid.copy()
    broken.positions[np.flatnonzero(top)[0]] += (0, 0, 2.0)
    assert slab_motion(broken, bare)[0] == pytest.approx(2.1)
    hopped = bare.copy()
    hopped.positions[np.flatnonzero(top)[0]] += (0, a, 0)
    assert slab_motion(hopped, bare)[0] == pytest.approx(0.75 * a)  # less the quarter that the mean of four moves
    tested = judging.Tested([end("adsorbed", 0.0), end("put", 0.0, slid=1.44)])
    assert "emt: put: a layer of the slab has slid by 1.4 A along the surface" in notes({"emt": tested})


def test_the_same_state_is_whole_at_both_ends() -> None:
    both = [end(name, 0.0, bonded=False) for name in ("adsorbed", "put")]
    assert judge(both).same is False
    assert judge(both).reasons == ["adsorbed: the molecule has other bonds"]


@pytest.mark.parametrize(
    "failed",
    [
        End("shaken 1", problem="forces are not finite; check the potential there."),
        end("shaken 1", 0.0, problem="no minimum after 500 steps"),
    ],
)
def test_a_start_that_failed_or_is_not_at_rest_does_not_pass_nor_on_the_path(failed: End) -> None:
    whole = [end("adsorbed", 0.0), end("put", 0.0)]
    for verdict in (judge([*whole, failed]), judge(whole, [failed])):
        assert not verdict.passed
        assert verdict.same
        assert verdict.not_at_rest == ["shaken 1"]
        assert verdict.reasons == [f"shaken 1: {failed.problem.rstrip('.')}"]


def test_where_a_start_has_led_is_said_once() -> None:
    ends = [
        end("adsorbed", 0.0, site="top"),
        end("put", 0.02, site="bridge", from_alike=1.3),
        end("shaken 1", -0.02, site="fcc hollow", from_alike=1.4),
        end("shaken 2", 0.3, on_slab=False, site="off the slab", from_alike=3.0),
        end("shaken 3", -0.3, site="bridge", from_alike=1.3),
        end("shaken 4", 0.0, problem="forces are not finite."),
    ]
    assert notes({"emt": judging.Tested(ends, verdict=judge(ends), placed="hcp hollow")}) == [
        "emt: ! shaken 4: forces are not finite.",
        "emt: does not pass: shaken 4: forces are not finite; put: at another place (bridge, 1.3 A away)",
        "emt: adsorbed: put in hcp hollow, ends in top",
        "emt: shaken 1: at another place (fcc hollow, 1.4 A away), -0.02 eV from the adsorbed start",
        "emt: shaken 2: desorbed, +0.30 eV from the adsorbed start",
        "emt: shaken 3: at another place (bridge, 1.3 A away), and 0.30 eV below the adsorbed start",
    ]


def test_what_the_tables_leave_open_is_said() -> None:
    """A state below the adsorbed one with other bonds, which the verdict allows on the path, and a band that is all uphill."""
    uphill = Band([], [0.9] * 10, energies=np.array([0.0, 0.4, 0.9]))
    tested = judging.Tested(
        [end("adsorbed", 0.0), end("put", 0.0), end("dissociated", 0.9, bonded=False)],
        [end("on the path 2", -0.3, bonded=False), end("on the path 3", -0.4, bonded=False, slab_moved=2.0)],
        Verdict(True, True, ["on the path 3"], [], ["on the path 3: broken"]),
        uphill,
        placed="top",
    )
    assert [tested.state_of(each) for each in tested.all_ends] == [
        "whole",
        "whole",
        "other bonds",
        "other bonds",
        "broken",
    ]
    assert tested.state_of(end("shaken 1", 0.0, bonded=False)) == "broken"
    said, (row,) = notes({"emt": tested}), result_rows({"emt": tested}, None)
    assert (
        said[1] == "emt: on the path 2: a whole slab, other bonds in the molecule, and 0.30 eV below the adsorbed start"
    )
    assert not [line for line in said if "on the path 3" in line and "does not pass" not in line]
    assert any("there is no barrier" in line for line in said)
    assert row == ["emt", "yes", "yes", "on the path 3", "no", "none !", "none !", "0.90"]
