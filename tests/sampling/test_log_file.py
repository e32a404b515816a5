"""Logs are read whole, cut or continued; what is wrong with them is said."""

from __future__ import annotations

import json

import numpy as np
import pytest
from two_phase import TwoPhase, log_text
from unnp.errors import ConfigError, DataError
from unnp.sampling.log_file import read_log
from unnp.sampling.samples import read_samples

MODEL = TwoPhase(pressure=10000.0)


@pytest.fixture
def text() -> str:
    return log_text(MODEL.draw(200, 1), MODEL.header())


def test_columns_are_read_to_the_last_digit(tmp_path, text):
    path = tmp_path / "momt.0.log"
    path.write_text(text)
    log = read_log(path)
    expected = MODEL.draw(200, 1)
    for name, column in log.columns.items():
        np.testing.assert_array_equal(column, expected[name])
    assert log.header.reference_pressure == pytest.approx(10000 / 1602176.6)


def test_later_rows_replace_those_run_again(tmp_path, text):
    lines = text.splitlines()
    again = [line.replace(line.split()[0], f"{1500 + 10 * k}", 1) for k, line in enumerate(lines[3:13])]
    path = tmp_path / "momt.0.log"
    path.write_text("\n".join(lines[:163] + lines[:3] + again) + "\n")  # 160 rows to step 1590, then from 1500 on
    columns = read_log(path).columns
    assert columns["step"].tolist() == [10.0 * k for k in range(160)]
    np.testing.assert_array_equal(columns["energy"][150:], MODEL.draw(200, 1)["energy"][:10])


@pytest.mark.parametrize("length", [-1, -7, -60, -150])
def test_line_cut_at_the_end_is_left_out(tmp_path, text, length):
    path = tmp_path / "momt.0.log"
    path.write_text(text[:length])
    log = read_log(path)
    assert len(log.columns["step"]) == (199 if length > -100 else 198)
    assert log.n_broken == 0


@pytest.mark.parametrize("cut", [2, 20, 60])
def test_line_that_a_kill_joined_with_the_next_is_left_out_and_noted(tmp_path, text, cut):
    lines = text.splitlines()
    joined = lines[100][:cut] + lines[101]
    path = tmp_path / "momt.0.log"
    path.write_text("\n".join([*lines[:100], joined, *lines[102:]]) + "\n")
    samples = read_samples([path])
    kept = np.delete(np.arange(200), [97, 98])
    np.testing.assert_array_equal(samples.energy, MODEL.draw(200, 1)["energy"][kept])
    assert len(samples.notes) == (
        cut > 2
    )  # of the first kind, the step is wrong and the row is replaced as one run again


def write(path, text):
    path.write_text(text)
    return path


def changed(text: str, row: int, column: int, word: str) -> str:
    lines = text.splitlines()
    words = lines[3 + row].split()
    words[column] = word
    lines[3 + row] = " ".join(words)
    return "\n".join(lines) + "\n"


def test_bad_files_are_refused_with_the_reason(tmp_path, text):
    path = tmp_path / "momt.0.log"
    header = "\n".join(text.splitlines()[:3]) + "\n"
    cases = {
        "is empty": "",
        "no log of fix momt": "Step Temp\n0 300\n",
        "no rows": header,
        "no header line": text.splitlines()[0] + "\n",
        "not finite, the first at step 500": changed(text, 50, 1, "nan"),
        "a bias that is not finite": changed(text, 50, 5, "inf"),
        "lines are not 10 numbers": header + "this is no row\n" * 20,
        "not energy \\+ pressure x volume": changed(text, 7, 3, "0.0"),
        "continued with other settings: temperature": text + f"# {json.dumps(MODEL.header(temperature=1.0))}\n",
        "lacks bias": text.replace("bias", "hills", 1),
    }
    for reason, content in cases.items():
        with pytest.raises(DataError, match=reason):
            read_log(write(path, content))
    with pytest.raises(ConfigError, match="temperature"):
        read_log(write(path, text.replace('"temperature": 900.0', '"temperature": -5')))
    with pytest.raises(DataError, match="cannot read"):
        read_log(tmp_path / "missing.log")


def test_walkers_of_different_ensembles_are_refused(tmp_path, text):
    first, second = (
        write(tmp_path / "0.log", text),
        write(tmp_path / "1.log", text.replace('"atoms": 108', '"atoms": 32')),
    )
    with pytest.raises(DataError, match="differ: atoms 108 and 32"):
        read_samples([first, second])
    with pytest.raises(DataError, match="no log"):
        read_samples([])
