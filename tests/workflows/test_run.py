"""Starting, following and stopping LAMMPS: programs that are missing, fail, hang, or belong to another MPI."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from unnp.config import from_dict
from unnp.errors import ConfigError, LammpsError, UnnpError
from unnp.lammps.executables import environment
from unnp.lammps.launch import Launch
from unnp.lammps.log import LammpsLog
from unnp.lammps.run import run_lammps
from unnp.workflows.md.config import MdConfig
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.ramp.config import RampConfig

SLEEPING = "print 'asleep'\nshell sleep 60\n"


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def deck(tmp_path) -> Path:
    path = tmp_path / "in.lammps"
    path.write_text("units metal\n")
    return path


def test_a_deck_runs_and_its_log_comes_back(deck):
    seen = []
    log = run_lammps(deck, Launch(ranks=2), follow=seen.append)
    assert log.version.startswith("LAMMPS (")
    assert seen
    assert (deck.parent / "log.lammps.out").read_text().startswith("LAMMPS (")


@pytest.mark.parametrize("ranks", [1, 2])
def test_the_words_of_lammps_are_in_the_message(deck, ranks):
    deck.write_text("units metal\npair_style lj/cat 3.0\n")
    with pytest.raises(LammpsError, match=r"Unrecognized pair style 'lj/cat'.* At: pair_style lj/cat 3.0\."):
        run_lammps(deck, Launch(ranks=ranks))


def test_an_error_of_one_rank_ends_all(deck):
    deck.write_text(
        "units metal\nregion b block 0 9 0 9 0 9\ncreate_box 1 b\npair_style eam/alloy\npair_coeff * * no.eam Al\n"
    )
    with pytest.raises(LammpsError, match=r"cannot open eam/alloy potential file no\.eam"):
        run_lammps(deck, Launch(ranks=2))


def test_advice_where_there_is_some(deck):
    deck.write_text("units metal\npair_style unnpx\n")
    with pytest.raises(LammpsError, match="unnp doctor"):
        run_lammps(deck)


def test_programs_that_are_not_there(deck, tmp_path):
    with pytest.raises(LammpsError, match=r"cannot find the program 'lmp_mpi'\. Check the name"):
        run_lammps(deck, Launch(lmp="lmp_mpi"))
    with pytest.raises(LammpsError, match=r"cannot find the program 'srunx'"):
        run_lammps(deck, Launch(launcher="srunx -n {ranks}"))
    with pytest.raises(LammpsError, match=r"bin/mpirun'\. Install it with `pip install mpich`"):
        run_lammps(deck, Launch(launcher=f"{tmp_path}/bin/mpirun -n {{ranks}}"))
    with pytest.raises(LammpsError, match="no input deck"):
        run_lammps(tmp_path / "absent.lammps")


@pytest.mark.parametrize("launcher", ["mpirun -n 2", "mpirun '-n {ranks}"])
def test_launchers_that_cannot_work(launcher):
    with pytest.raises(ConfigError, match="launcher"):
        from_dict({"launcher": launcher}, Launch)


def test_several_processes_need_a_launcher():
    with pytest.raises(LammpsError, match="without a launcher LAMMPS runs on one rank"):
        Launch(ranks=2, launcher="").check()
    with pytest.raises(LammpsError, match="without a launcher"):
        Launch(launcher="").check(simulations=2)


@pytest.mark.parametrize("kind", [MdConfig, RampConfig, MeltConfig, MomtConfig])
def test_every_run_is_started_by_the_same_settings_which_stand_behind_its_own(kind):
    inherited = list(Launch.model_fields)
    assert list(kind.model_fields)[-len(inherited) :] == inherited
    for name in inherited:
        assert kind.model_fields[name].description == Launch.model_fields[name].description
        assert kind.model_fields[name].metadata == Launch.model_fields[name].metadata
    dumped = list(kind.model_construct().model_dump())
    assert dumped[-len(inherited) :] == inherited


def test_no_launcher_runs_lammps_alone():
    assert [Path(word).name for word in Launch(launcher="").command()] == ["lmp"]


def test_exit_codes_and_signals_without_a_word(deck, tmp_path):
    silent = program(tmp_path / "silent", "echo last words >&2; exit 3")
    with pytest.raises(LammpsError, match=r"exit code 3 without an error message(.|\n)*last words"):
        run_lammps(deck, Launch(lmp=silent, launcher=""))
    killed = program(tmp_path / "killed", "kill -9 $$")
    with pytest.raises(LammpsError, match="killed by signal 9"):
        run_lammps(deck, Launch(lmp=killed, launcher=""))


def test_an_error_with_exit_code_zero_is_an_error(deck, tmp_path):
    fake = program(tmp_path / "fake", "echo 'ERROR: half done' > log.lammps; exit 0")
    with pytest.raises(LammpsError, match="half done"):
        run_lammps(deck, Launch(lmp=fake, launcher=""))


def test_ranks_that_do_not_see_each_other(deck, tmp_path):
    fake = program(tmp_path / "fake", "echo '  1 by 1 by 1 MPI processor grid' > log.lammps")
    launcher = program(tmp_path / "mpirun.other", 'shift 2; "$@"')
    with pytest.raises(LammpsError, match=r"asked for 2 ranks, but LAMMPS saw 1: .*another MPI"):
        run_lammps(deck, Launch(ranks=2, lmp=fake, launcher=f"{launcher} -n {{ranks}}"))


def test_an_old_log_is_not_taken_for_the_new_one(deck, tmp_path):
    (deck.parent / "log.lammps").write_text("ERROR: of last week\n")
    assert not run_lammps(deck, Launch(lmp=program(tmp_path / "fake", "exit 0"), launcher="")).error


def test_threads_and_potential_files_reach_lammps(monkeypatch):
    monkeypatch.delenv("LAMMPS_POTENTIALS", raising=False)
    variables = environment(3)
    assert variables["OMP_NUM_THREADS"] == "3"
    assert (Path(variables["LAMMPS_POTENTIALS"]) / "Al_mm.eam.fs").is_file()
    monkeypatch.setenv("LAMMPS_POTENTIALS", "/mine")
    assert environment(1)["LAMMPS_POTENTIALS"] == "/mine"


def start_in_process(deck: Path, **settings: object) -> subprocess.Popen[bytes]:
    """Run the deck from a Python process of its own and wait until LAMMPS is at work."""
    # what a shell starts in the background ignores Ctrl-C, and so would its children: tests may run there
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    imports = "from unnp.lammps.launch import Launch; from unnp.lammps.run import run_lammps"
    code = f"{listen}; {imports}; run_lammps({str(deck)!r}, Launch(**{settings or {'ranks': 2}!r}))"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    log = deck.parent / "log.lammps.out"
    for _ in range(200):
        if log.is_file() and "asleep" in log.read_text():
            return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError("LAMMPS did not start")


def processes_in(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.readlink(entry / "cwd") == str(folder):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_leaves_no_process_behind(deck, number):
    deck.write_text(SLEEPING)
    process = start_in_process(deck)
    process.send_signal(number)
    assert process.wait(15) != 0
    for _ in range(100):
        if not processes_in(deck.parent):
            return
        time.sleep(0.05)
    raise AssertionError(f"still there: {processes_in(deck.parent)}")


def wait_until_gone(folder: Path, seconds: float = 10) -> None:
    for _ in range(int(seconds / 0.05)):
        if not processes_in(folder):
            return
        time.sleep(0.05)
    raise AssertionError(f"still there: {processes_in(folder)}")


def run_as_soon_as_the_lock_is_free(deck: Path) -> LammpsLog:
    """The last thread of a process that was ended may hold the lock a little longer than the process is seen."""
    wait_until_gone(deck.parent)
    for _ in range(40):
        try:
            return run_lammps(deck)
        except UnnpError:
            time.sleep(0.05)
    raise AssertionError("the lock is still held")


@pytest.mark.parametrize(("ranks", "launcher"), [(1, ""), (2, "mpirun -n {ranks}")])
def test_lammps_ends_with_its_driver_also_after_kill_9(deck, ranks, launcher):
    deck.write_text(SLEEPING)
    process = start_in_process(deck, ranks=ranks, launcher=launcher)
    assert processes_in(deck.parent)
    process.kill()
    process.wait()
    deck.write_text("units metal\n")
    assert not run_as_soon_as_the_lock_is_free(deck).error


def test_a_run_that_outlives_its_starter_keeps_others_out(deck, tmp_path):
    stubborn = program(tmp_path / "stubborn", "trap '' TERM; sleep 1; echo asleep; sleep 4")
    process = start_in_process(deck, lmp=stubborn, launcher="")
    process.kill()
    process.wait()
    with pytest.raises(UnnpError, match=r"another run is still going on .*\(process \d+ on .*stubborn -in in.lammps"):
        run_lammps(deck)
    assert not run_as_soon_as_the_lock_is_free(deck).error


def test_a_line_that_looks_like_an_error_is_none_where_lammps_came_to_its_end(deck):
    deck.write_text(
        'units metal\nprint """\nERROR: in the name of a model\nmore of it\n'
        'Per MPI rank memory allocation\nStep Temp\n1 2\n"""\n'
        "region b block 0 9 0 9 0 9\ncreate_box 1 b\nmass 1 1\ncreate_atoms 1 single 1 1 1\n"
        "pair_style zero 3.0\npair_coeff * *\nrun 0\n"
    )
    log = run_lammps(deck, Launch(ranks=2))
    assert log.ended
    assert log.n_ranks == 2
    assert log.blocks[-1].finished
    assert log.blocks[-1]["Step"].tolist() == [0]
    deck.write_text(f"{deck.read_text()}nonsense\n")
    with pytest.raises(LammpsError, match="LAMMPS stopped: Unknown command: nonsense"):
        run_lammps(deck)


@pytest.mark.parametrize("partitions", [1, 2])
def test_a_log_that_is_cut_short_is_said(deck, tmp_path, partitions):
    names = "log.lammps" if partitions == 1 else "log.lammps.0 log.lammps.1"
    fake = program(tmp_path / "fake", f"for name in {names}; do printf 'LAMMPS (1 Jan)\\nLoop ti' > $name; done")
    launcher = program(tmp_path / "start", 'shift 2; "$@"')
    with pytest.raises(LammpsError, match=r"log.lammps is not whole; is the disk full\?"):
        run_lammps(deck, Launch(lmp=fake, launcher=f"{launcher} -n {{ranks}}"), partitions=partitions)


def test_partitions_come_to_their_end(deck):
    assert not run_lammps(deck, partitions=2).error
    assert (deck.parent / "log.lammps.1").read_text().splitlines()[-1].startswith("Total wall time")
