"""The frame of the command line: discovery of verbs, version, errors without a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner
from unnp import __version__, cli
from unnp.errors import DataError

runner = CliRunner()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "unnp", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_every_module_is_a_verb() -> None:
    names = {p.stem.replace("_", "-") for p in Path(cli.__file__).parent.glob("*.py")} - {
        "--init--",
        "movers",
        "options",
        "scaling",
        "stopping",
        "tables",
    }
    group = typer.main.get_command(cli.build_app())
    assert {"train", "models"} <= names
    assert set(group.commands) == names  # type: ignore[attr-defined]
    for name in sorted(names):
        result = runner.invoke(cli.build_app(), [name, "--help"])
        assert result.exit_code == 0, name
        assert "Usage" in result.output


def test_importing_the_command_line_is_light() -> None:
    heavy = ("torch", "ase", "matplotlib", "pydantic")
    code = f"import sys, unnp.cli; unnp.cli.build_app(); print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "[]"


def test_version() -> None:
    result = runner.invoke(cli.build_app(), ["--version"])
    assert (result.exit_code, result.output) == (0, f"unnp {__version__}\n")


def test_errors_are_one_message_and_exit_code_2(tmp_path: Path) -> None:
    config = tmp_path / "train.yaml"
    config.write_text("data: {train: [x.xyz]}\nepoch: 3\n")
    result = run("train", str(config), "-o", str(tmp_path / "run"))
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: {config}:")
    assert "Did you mean 'epochs'?" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "run").exists()


def test_ctrl_c_while_the_command_line_is_built_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("unnp.cli.build_app", interrupted)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "Aborted.\n"


def test_unknown_verb_and_missing_option() -> None:
    result = runner.invoke(cli.build_app(), ["trian"])
    assert result.exit_code == 2
    assert "Did you mean 'train'?" in result.output
    assert runner.invoke(cli.build_app(), ["train", "x.yaml"]).exit_code == 2


def test_main_prints_errors(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def failing() -> typer.Typer:
        raise DataError("the file is broken.")

    monkeypatch.setattr(cli, "build_app", failing)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    assert capsys.readouterr().err == "Error: the file is broken.\n"


def test_models_lists_describes_and_gives_the_schema() -> None:
    listed = runner.invoke(cli.build_app(), ["models"])
    assert "teanet" in listed.output
    described = runner.invoke(cli.build_app(), ["models", "show", "teanet"])
    assert "layer_cutoffs" in described.output
    assert "arXiv:1912.01398" in described.output
    schema = runner.invoke(cli.build_app(), ["models", "show", "teanet", "--schema"])
    assert '"additionalProperties": false' in schema.output
