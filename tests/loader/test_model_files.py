"""A model file is not to be feared: what could run, read or write something is refused before torch sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from model_archive import Archive
from torch import Tensor, nn
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.core import core, model_files
from unnp.errors import ModelError
from unnp.exported.archive import inspect, read_manifest
from unnp.exported.export import export_model
from unnp.exported.loader import load_model
from unnp.models import Head, PotentialConfig, TrainingData, build_potential

ROOT = Path(__file__).parents[2]
NI = ROOT / "models" / "teanet-mlearn-Ni" / "model.pt"
COMMITTEE = "code/__torch__/unnp/models/committee.py"
START = "    potentials = self.potentials\n"


def refusals(path: Path) -> dict[str, str]:
    """Return the messages with which `unnp info`, Python and the engine of LAMMPS refuse a file, "" where one does not."""
    messages = {}
    readers: dict[str, Callable[[], object]] = {
        "info": lambda: read_manifest(path),
        "python": lambda: load_model(path, device="cpu"),
        "engine": lambda: core().check_model(str(path)),
    }
    for name, read in readers.items():
        messages[name] = ""
        try:
            read()
        except (ModelError, RuntimeError) as error:
            messages[name] = str(error)
    return messages


def assert_refused(path: Path, message: str, without_running: bool = True) -> None:
    found = refusals(path)
    if not without_running:
        assert found.pop("info") == ""
    for reader, text in found.items():
        assert message in text, f"{reader}: {text}"
        assert "\n" not in text


@pytest.fixture(scope="module")
def archive() -> Archive:
    archive = Archive(NI.read_bytes())
    manifest = json.loads(archive.read("extra/unnp.json")) | {"records_checksum": ""}
    return Archive(archive.rebuilt({"extra/unnp.json": json.dumps(manifest).encode()}))


@pytest.fixture
def write(archive: Archive, tmp_path: Path) -> Callable[..., Path]:
    """The function that writes the Ni model with records changed, added or packed."""

    def write(changes: dict[str, bytes | None] | None = None, **options) -> Path:
        path = tmp_path / "m.pt"
        path.write_bytes(archive.rebuilt(changes, **options))
        return path

    return write


def with_line(archive: Archive, line: str) -> dict[str, bytes | None]:
    """Return the change that puts a line of code into the methods of the committee."""
    text = archive.read(COMMITTEE).decode()
    assert START in text
    return {COMMITTEE: text.replace(START, f"    _x = {line}\n{START}").encode()}


def with_fields(archive: Archive, **fields) -> dict[str, bytes | None]:
    return {"extra/unnp.json": json.dumps(json.loads(archive.read("extra/unnp.json")) | fields).encode()}


def test_the_rewritten_model_is_accepted(write, archive):
    assert refusals(write()) == {"info": "", "python": "", "engine": ""}


HARMFUL = {
    'torch.from_file("evil", True, 4, dtype=0, layout=None, device=None, pin_memory=None)': "'torch.from_file'",
    'ops.aten.save(bond_vector, "evil")': "'ops.aten.save'",
    '(bond_vector).save("evil")': "'save'",
    'getattr(bond_vector, "save")': "'save'",
    "ops.inductor._reinterpret_tensor(bond_vector, [9], [1], 0)": "'ops.inductor._reinterpret_tensor'",
    "torch.as_strided(bond_vector, [1000000000], [1], 0)": "'torch.as_strided'",
    "torch.set_(bond_vector, species)": "'torch.set_'",
    "__torch__.torch.classes.a.B()": "'__torch__.torch.classes.a.B'",
    'print("ERROR: evil")': "uses print",
    "fork(species)": "uses fork",
    "unchecked_cast(__torch__.unnp.models.committee.Committee, species)": "casts an object",
    "(torch.sum)(bond_vector)": "not written as torch does",
}


@pytest.mark.parametrize("line", HARMFUL)
def test_code_beyond_the_list_is_refused(line, write, archive):
    assert_refused(write(with_line(archive, line)), HARMFUL[line])


def test_a_method_of_the_model_named_as_an_operator_is_refused(write, archive):
    """Else its name would make the operator of tensors callable."""
    text = archive.read(COMMITTEE).decode()
    changed = (
        text.replace(START, f'    _x = (bond_vector).save("evil")\n{START}')
        + "  def save(self) -> int:\n    return 1\n"
    )
    assert_refused(write({COMMITTEE: changed.encode()}), "'save'")
    renamed = (
        text.replace(START, f"    _x = (bond_vector).data_ptr_()\n{START}")
        + "  def bernoulli_(self) -> int:\n    return 1\n"
    )
    renamed = renamed.replace("data_ptr_", "bernoulli_")
    assert_refused(write({COMMITTEE: renamed.encode()}), "'bernoulli_'", without_running=False)


@pytest.mark.parametrize("method", ["__setstate__", "__getstate__", "__del__", "__init__"])
def test_methods_that_run_while_a_file_is_opened_are_refused(method, write, archive):
    changed = archive.read(COMMITTEE) + f"  def {method}(self) -> int:\n    return 1\n".encode()
    assert_refused(write({COMMITTEE: changed}), f"'{method}'")


def test_no_operator_that_may_take_the_name_of_a_file_can_be_called(write, archive):
    """All of torch's operators that take a text are refused, but for those whose text is known to be none."""
    harmless = {"rounding_mode", "equation", "approximate", "ord", "indexing", "mode", "reduce"}
    refused = 0
    for schema in torch._C._jit_get_all_schemas():
        texts = {a.name for a in schema.arguments if "str" in str(a.type)}
        first = str(schema.arguments[0].type) if schema.arguments else ""
        if not texts or texts <= harmless:
            continue
        space, name = schema.name.split("::")
        calls = [f'ops.{space}.{name}("evil")'] + ([f'torch.{name}("evil")'] if space in ("aten", "prim") else [])
        for call in calls:
            allowed = model_files().is_allowed_function(name) if call[0] == "t" else False
            allowed = allowed or model_files().is_allowed_operator(f"{space}.{name}")
            # what remains works on texts, lists and tables of TorchScript alone
            on_values = (
                "Tensor" not in first and schema.name.startswith("aten::")
            ) or schema.name == "prim::RaiseException"
            assert not allowed or on_values or name in ("div", "eq", "ne"), schema
            if not allowed:
                path = write(with_line(archive, call))
                with pytest.raises(ModelError, match=r"not allowed|holds code that no export writes"):
                    inspect(path)
                refused += 1
    assert refused > 100


def test_no_operator_that_reaches_beyond_a_tensor_is_on_the_list():
    allowed = model_files().is_allowed_function
    names = {schema.name.split("::")[1] for schema in torch._C._jit_get_all_schemas()}
    unsafe = [n for n in names if allowed(n) and n.startswith("_") and not n.startswith("__")]
    assert unsafe == ["_set_item"]
    words = ("strided", "empty", "resize", "from_file", "save", "load", "storage", "unsafe", "rand", "ptr", "sparse")
    assert [n for n in names if allowed(n) and any(word in n for word in words)] == []
    assert not any(
        map(allowed, ("set_", "set", "backward", "apply_", "warn", "print", "hash", "bernoulli_", "rnn_tanh", "lstm"))
    )


def test_operators_of_the_list_that_take_indices_check_them():
    code = """
import torch
x, far = torch.rand(4, 3), torch.tensor([10**9, -10**9, 5])
wide, one = far.view(1, 3).expand(4, 3).contiguous(), torch.rand(3, 3)
for f in (lambda: torch.gather(x, 0, wide), lambda: x[far], lambda: x.index_add(0, far, one), lambda: x.index_copy(0, far, one),
          lambda: x.index_fill(0, far, 1.0), lambda: x.index_put([far], one), lambda: x.index_put([far], one, True),
          lambda: x.index_select(0, far), lambda: x.scatter(0, wide, x), lambda: x.scatter_add(0, wide, x),
          lambda: x.scatter_reduce(0, wide, x, "sum"), lambda: x.take(far), lambda: torch.embedding(x, far),
          lambda: torch.select(x, 0, 10**9), lambda: x.narrow(0, 2, 10**9), lambda: x.split([10**9, 4 - 10**9])):
    try:
        f()
    except (IndexError, RuntimeError):
        continue
    raise SystemExit("an index beyond a tensor was accepted")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_pickles(write, archive):
    data = archive.read("data.pkl")
    head = b"\x80\x02"
    for content, message in [
        (head + b"cposix\nsystem\nX\x04\x00\x00\x00evil\x85R.", "names posix.system"),
        (head + b"]" * 10_000 + b"e" * 10_000 + b".", "data.pkl"),
        (head + b")" + b"\x85" * 10_000 + b".", "nests too deeply"),
        (head + b"X\xff\xff\xff\x7fa.", "ends too early"),
        (data.replace(b"FloatStorage", b"ComplexFloatStorage", 1), "ComplexFloatStorage"),
        (data.replace(b"cpu", b"xpu", 1), "array"),
        (data.replace(b"torch._utils\n_rebuild_tensor_v2", b"torch._utils\n_rebuild_parameter", 1), "names"),
    ]:
        assert_refused(write({"data.pkl": content}), message)
    # an object of one class where the code expects another: torch would read its attributes by their position
    assert b"activation SiLU\n" in data.replace(b"\n", b" ", 0) or b"activation\nSiLU\n" in data
    swapped = data.replace(b"activation\nSiLU\n", b"activation\nTanh\n", 1)
    assert_refused(write({"data.pkl": swapped}), "another class")


def test_records(write, archive):
    weight = archive.read("data/1")
    for options, message in [
        ({"changes": {"data/1": b""}}, "0 bytes in data/1"),
        ({"changes": {"data/1": weight[: len(weight) // 2]}}, "bytes in data/1"),
        ({"changes": {"data/1": None}}, "no record data/1"),
        ({"extra": [(archive.name("data/999"), b"1234")]}, "data/999"),
        ({"extra": [(archive.name("bytecode.pkl"), b"1234")]}, "bytecode.pkl"),
        ({"extra": [(archive.name("extra/unnp.json"), b"{}")]}, "two records named"),
        ({"extra": [("other/data.pkl", b"")]}, "one folder"),
        ({"extra": [("../evil", b"")]}, "an entry named '../evil'"),
        ({"changes": {"byteorder": b"big"}}, "'big' as its byteorder"),
        ({"changes": {COMMITTEE: archive.read(COMMITTEE) + b"\n" * 2**19}}, "blank lines"),
        (
            {"changes": {COMMITTEE: archive.read(COMMITTEE) + b"\n" * 14 * 2**20}, "packed": (COMMITTEE,)},
            "more than any real one",
        ),
        ({"changes": {"extra/unnp.json": b" " * 2**28}, "packed": ("extra/unnp.json",)}, "unpacks to 25"),
    ]:
        assert_refused(write(**options), message)


def test_every_flipped_bit_is_seen(tmp_path):
    """The same in weights, headers and table of contents; whatever is accepted is bit for bit the same contents."""
    content = NI.read_bytes()
    path, refused = tmp_path / "m.pt", 0
    for at in range(3, len(content), 5987):
        path.write_bytes(content[:at] + bytes([content[at] ^ 16]) + content[at + 1 :])
        try:
            inspect(path)
        except ModelError:
            refused += 1
        else:  # a date or an attribute of a file
            assert Archive(path.read_bytes()).records == Archive(content).records
    assert refused > 50


def test_nothing_may_stand_around_the_archive(tmp_path):
    content = NI.read_bytes()
    for changed, message in (
        (b"x" + content, "is not a TorchScript file"),
        (content + b"x", "is not a TorchScript file"),
        (content[:-1], "is not a TorchScript file"),
        (content + content, "the end of the archive"),
        (content[:-2] + b"\1\0x", "is not a TorchScript file"),
    ):
        path = tmp_path / "m.pt"
        path.write_bytes(changed)
        assert_refused(path, message)


def test_what_is_no_regular_file(tmp_path):
    fifo = tmp_path / "fifo.pt"
    os.mkfifo(fifo)
    for path in (fifo, Path("/dev/zero")):
        assert_refused(path, "is a pipe or a device, not a model file")
    with pytest.raises(ModelError, match="does not exist"):
        read_manifest(os.fsdecode(b"/tmp/\xff\n.pt"))


def test_a_network_that_is_not_as_its_manifest_says(write, archive):
    for fields, message in [
        ({"cutoff": 4.0}, "sees beyond the cutoff of the manifest"),
        ({"exchange_widths": [1]}, "the network exchanges"),
        ({"exchange_widths": [16000, 16000]}, "the network exchanges"),
        ({"halo": "local", "exchange_widths": []}, "bonds refer to atoms beyond"),
        ({"n_members": 2}, "energies of 2 members"),
        ({"dtype": "float64"}, "the manifest says dtype float64"),
    ]:
        assert_refused(write(with_fields(archive, **fields)), message, without_running=False)


def test_errors_of_the_network_are_one_line(write, archive):
    for line, message in [
        ("torch.reshape(bond_vector, [-7, 3])", "shape"),
        ("torch.index_select(bond_vector, 0, torch.mul(species, -1000000))", "network cannot be run"),
        (
            "ops.unnp.aggregate(bond_vector, bond_vector, torch.mul(bond_index, 1000000), n_updated, 0, 0)",
            "refer to atoms beyond",
        ),
        ("ops.unnp.exchange(bond_vector, 100, 77)", "no halo with handle 77"),
        ('ops.prim.RaiseException("a\\nERROR: b", "builtins.ValueError")', "network cannot be run"),
        ("torch.zeros([1000000000000, 1000], dtype=7, layout=None, device=None, pin_memory=None)", "memory"),
    ]:
        used = line if "Raise" in line else f"_x = torch.append(energies, {line})"
        text = (
            archive.read(COMMITTEE).decode().replace("    return torch.stack(", f"    {used}\n    return torch.stack(")
        )
        path = write({COMMITTEE: text.encode()})
        for reader, text in refusals(path).items():
            assert "\n" not in text
            assert "Traceback" not in text
            assert reader == "info" or message in text, text


def test_names_that_steer_a_terminal_are_spelt_out(write, archive):
    evil = "Ni\nERROR: no \x1b[2J \u202e"
    changes = with_fields(
        archive, name=evil, architecture=evil, licence=evil, created=evil, references=[evil], data={"x": evil}
    )
    path = write(changes)
    shown = CliRunner().invoke(build_app(), ["info", str(path)])
    assert shown.exit_code == 0
    assert "\x1b" not in shown.output
    assert "\u202e" not in shown.output
    assert not any(line.startswith("ERROR") for line in shown.output.splitlines())


class Sorted(nn.Module):
    """A network that uses an operator which is not on the list."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cummax(x, 0)[0]


def test_export_refuses_an_operator_that_is_not_on_the_list(tmp_path, monkeypatch):
    heads, data = [Head(1.0, {"Ni": -1.0})], TrainingData(20.0)
    settings = {"layer_cutoffs": [3.5], "scalars": 4, "vectors": 2, "tensors": 2, "hidden": 4}
    potential = build_potential(PotentialConfig(settings=settings), ["Ni"], heads, data)
    potential.energy_heads[0].network.add_module("odd", Sorted())
    with pytest.raises(ModelError, match=r"torch\.cummax.*not allowed.*adding\.md"):
        export_model([potential], tmp_path / "m.pt", name="x")
    assert not (tmp_path / "m.pt").exists()


def test_an_exported_file_holds_its_checksum(tmp_path):
    heads, data = [Head(1.0, {"Ni": -1.0})], TrainingData(20.0)
    settings = {"layer_cutoffs": [3.5], "scalars": 4, "vectors": 2, "tensors": 2, "hidden": 4}
    path = tmp_path / "m.pt"
    manifest = export_model([build_potential(PotentialConfig(settings=settings), ["Ni"], heads, data)], path, name="x")
    assert read_manifest(path) == manifest
    assert len(manifest.records_checksum) == 64
    exported = Archive(path.read_bytes())
    for changes in ({"data/1": bytes(len(exported.read("data/1")))}, with_fields(exported, cutoff=3.4)):
        changed = tmp_path / "changed.pt"
        changed.write_bytes(exported.rebuilt(changes))
        assert_refused(changed, "was changed or damaged after it was exported" if "data/1" in changes else "manifest")
