"""Results that are kept: made once, and again where what they were made with has changed or the file is damaged."""

from pathlib import Path

import pytest
from unnp.files.kept import kept


class Counted:
    """Makes a result, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict:
        self.times += 1
        return {"energy": -1.5, "time": self.times}


def test_a_result_is_made_once_for_all_that_it_depends_on(tmp_path: Path) -> None:
    path, make = tmp_path / "errors.json", Counted()
    found = [kept(path, {"model": model}, make)["time"] for model in ("a", "a", "b", "b", "a")]
    assert found == [1, 1, 2, 2, 3]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"made_with": {"model": "a"}, "result": 3}'])
def test_a_damaged_file_is_replaced(tmp_path: Path, text: str) -> None:
    path, make = tmp_path / "errors.json", Counted()
    path.write_text(text)
    assert kept(path, {"model": "a"}, make) == {"energy": -1.5, "time": 1}
    assert kept(path, {"model": "a"}, make) == {"energy": -1.5, "time": 1}
    assert make.times == 1
