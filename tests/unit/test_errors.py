"""Messages that help."""

import pytest
from unnp import errors
from unnp.errors import UnnpError, did_you_mean, in_one_line, printable, unknown


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("teanett", " Did you mean 'teanet'?"),
        ("TEANET", " Did you mean 'teanet'?"),
        ("scaler", " Did you mean 'Scalars'?"),
        ("quantum", ""),
        ("", ""),
    ],
)
def test_did_you_mean(given, expected):
    assert did_you_mean(given, ["teanet", "Scalars", "zbl"]) == expected


def test_did_you_mean_of_nothing():
    assert did_you_mean("x", []) == ""


def test_unknown_names_what_is_allowed():
    message = unknown("dtype", "float23", ["float64", "float32"])
    assert message.startswith("unknown dtype 'float23'; allowed: float32, float64.")
    assert message.endswith("Did you mean 'float32'?")


def test_all_errors_can_be_caught_as_one():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 5
    assert all(issubclass(kind, UnnpError) for kind in kinds)


def test_what_steers_a_terminal_is_spelt_out():
    assert printable("a\x1b[2Jb\x07\r\n\tc\u202ed\ud800é") == "a\\x1b[2Jb\\x07\\r\n\tc\\u202ed\\ud800é"


def test_values_are_quoted_on_one_line_and_cut():
    assert in_one_line("a\nERROR: b") == "a\\nERROR: b"
    assert in_one_line("x" * 5000) == "x" * 200 + "... (5000 characters)"
    assert in_one_line(12) == "12"
