"""What a training shows."""

import pytest
from rich.console import Console
from unnp.train.console import LiveConsole, PlainConsole, SilentConsole, make_console

RECORD = {
    "epoch": 3,
    "minutes": 1.25,
    "learning_rate": 1e-3,
    "loss": 0.5,
    "validation_loss": 0.25,
    "forces_mae": 0.0321,
}


def test_without_a_terminal_there_are_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    console = make_console(silent=False)
    assert isinstance(console, PlainConsole)
    with console:
        console.batch(1, 2, 0.5)
        console.epoch(RECORD)
        console.message("[done]")
    expected = "epoch 3  min 1.2  rate 1.0e-03  loss 5.000e-01  val. loss 2.500e-01  F MAE eV/A 0.0321\n[done]\n"
    assert capsys.readouterr().out == expected


def test_other_processes_are_silent(capsys: pytest.CaptureFixture[str]) -> None:
    console = make_console(silent=True)
    assert type(console) is SilentConsole
    console.epoch(RECORD)
    console.message("done")
    assert capsys.readouterr().out == ""


def test_live_picture_has_bars_and_the_latest_epochs() -> None:
    console = LiveConsole()
    for epoch in range(1, 13):
        console.batch(3, 4, epoch / 40)
        console.epoch({**RECORD, "epoch": epoch})
    terminal = Console(width=120, record=True, force_terminal=True, quiet=False)
    with terminal.capture() as capture:
        terminal.print(console._picture())
    lines = capture.get()
    assert "30%" in lines
    assert "75%" in lines
    rows = [line.split()[0] for line in lines.splitlines() if "0.0321" in line]
    assert rows == [str(epoch) for epoch in range(3, 13)]
