"""Damaged and hostile variants of an exported model, from its bytes and a seed."""

from __future__ import annotations

import json
import random
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from model_archive import Archive


@dataclass(frozen=True)
class Mutant:
    """A variant: what was done to the file, and its bytes."""

    kind: str
    what: str
    content: bytes


Maker = Callable[[Archive, random.Random], tuple[str, bytes]]
KINDS: dict[str, Maker] = {}


def kind(name: str) -> Callable[[Maker], Maker]:
    def add(maker: Maker) -> Maker:
        KINDS[name] = maker
        return maker

    return add


def mutants(content: bytes, n: int, seed: int = 0) -> Iterator[Mutant]:
    """Yield ``n`` variants of a model file, all kinds in turn."""
    archive, rng = Archive(content), random.Random(seed)
    for k in range(n):
        name = list(KINDS)[k % len(KINDS)]
        what, changed = KINDS[name](archive, rng)
        yield Mutant(name, what, changed)


def _flipped(content: bytes, at: int, bit: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1 << bit
    return bytes(changed)


def _flip_between(archive: Archive, rng: random.Random, start: int, end: int) -> tuple[str, bytes]:
    at, bit = rng.randrange(start, max(end, start + 1)), rng.randrange(8)
    return f"bit {bit} of byte {at}", _flipped(archive.content, at, bit)


@kind("truncated")
def _truncated(archive: Archive, rng: random.Random) -> tuple[str, bytes]:
    size = rng.randrange(len(archive.content))
    return f"to {size} bytes", archive.content[:size]


@kind("bit of the central directory")
def _flip_directory(archive: Archive, rng: random.Random) -> tuple[str, bytes]:
    return _flip_between(archive, rng, archive.content.find(b"PK\1\2"), len(archive.content))


@kind("bit of a local header")
def _flip_local(archive: Archive, rng: random.Random) -> tuple[str, bytes]:
    header, start, _ = archive.span(rng.choice(archive.names("")))
    return _flip_between(archive, rng, header, start)


@kind("bit of a record")
def _flip_record(archive: Archive, rng: random.Random) -> tuple[str, bytes]:
    pattern = rng.choice([r"^data/\d+$", r"^data\.pkl$", r"^code/.*\.py$", r"unnp\.json$", r"debug_pkl$"])
    record = rng.choice(archive.names(pattern))
    _, start, end = archive.span(record)
    what, content = _flip_between(archive, rng, start, end)
    return f"{record}, {what}", content


FIELDS = [
    *[("cutoff", v) for v in (0, -1, True, "5", None, 1e3, 1e400, 3.0, [5.0])],
    *[("exchange_widths", v) for v in ([], [0], [-1], [1], [10**15], [1.5], [True], "64", [10**6] * 3)],
    *[("pooling_widths", v) for v in ([0], [1], [10**15], [1.5], [True], "64", None)],
    *[("cost", v) for v in ("quadruplets", "", 1, None)],
    *[("n_members", v) for v in (0, 2, -1, 1.5, True, 10**9, "1")],
    *[
        ("deviation_scales", v)
        for v in ({}, {"forces": 2.0}, {"forces": 0.0}, {"stress": 1.0}, {"energy": "1"}, [1.0], 2.0)
    ],
    *[("elements", v) for v in ([], ["Ni", "Ni"], ["Xx"], [1], "Ni", ["ni"], [""], ["Ni "], ["\u00c4"])],
    *[("halo", v) for v in ("local", "exchnge", 1, None)],
    *[("dtype", v) for v in ("float16", "float32", "float64", 32)],
    *[("heads", [{"name": "a", "reference_energies": v}]) for v in ({}, {"Xx": 1.0}, [], None, {"Ni": True})],
    *[("heads", v) for v in ([], None, [1], "a", [{"name": "a"}], [{"name": 1, "reference_energies": {"Ni": 0.0}}])],
    *[("outputs", v) for v in ([], None, [1], [{"name": "energy"}], [{"name": "energy", "per": "bond"}])],
    *[
        ("torch_supported", v)
        for v in ([], ["2.11"], ["2", "3"], ["9.0", "9.9"], ["2.11", "2.15", "3.0"], ["-2.1", "2.15"])
    ],
    *[("format_version", v) for v in (0, 2, True, "1", None, 10**30)],
    *[("units", v) for v in ({"energy": "Ry", "length": "angstrom"}, [], {"mass": "kg"}, None)],
    *[("config", v) for v in ([], "x", 1)],
    *[("references", v) for v in ("x", [1], None)],
    *[("name", v) for v in (1, None, ["x"])],
    *[("n_parameters", v) for v in (-1, 0.5, 10**40, True)],
    *[("receptive_field", v) for v in (0.1, 10**9, True, "x")],
    ("cutof", 3.0),
]


@kind("manifest")
def _manifest(archive: Archive, rng: random.Random) -> tuple[str, bytes]:
    fields: dict[str, Any] = json.loads(archive.read("extra/unnp.json"))
    key, value = rng.choice(FIELDS)
    if rng.random() < 0.15:
        del fields[key := rng.choice(list(fields))]
        what = f"without {key}"
    else:
        fields[key] = value
        what = f"{key} = {str(value)[:40]}"
    text = json.dumps(fields)
    return what, archive.rebuilt({"extra/unnp.json": text.encode()})


@kind("text of the manifest")
def _manifest_text(archive: Archive, rng: random.Random) -> tuple[str, bytes]:
    text = archive.read("extra/unnp.json")
    variants = {
        "a doubled key": text.replace(b"{", b'{"cutoff": 4.0, ', 1),
        "Latin-1": text.replace(b'"licence": "', b'"licence": "\xe9', 1),
        "UTF-16": text.decode().encode("utf-16"),
        "byte-order mark": b"\xef\xbb\xbf" + text,
        "NaN": text.replace(b'"data": {', b'"data": {"x": NaN, ', 1).replace(b", }", b"}"),
        "lone surrogate": text.replace(b'"licence": "', b'"licence": "\\ud800', 1),
        "deep": b"[" * 100_000,
        "empty": b"",
        "trailing comma": text.rstrip().removesuffix(b"}") + b",}",
        "long number": text.replace(b'"n_members": ', b'"n_members": 0', 1),
        "17 MB": text + b" " * 17_000_000,
    }
    what = rng.choice(list(variants))
    return what, archive.rebuilt({"extra/unnp.json": variants[what]})


@kind("pickle")
def _pickle(archive: Archive, rng: random.Random) -> tuple[str, bytes]:
    record = rng.choice(["data.pkl", "data.pkl", "data.pkl", "constants.pkl", *archive.names(r"debug_pkl$")[:1]])
    content = bytearray(archive.read(record))
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.randrange(len(content))
        action = rng.randrange(4)
        if action == 0:
            content[at] = rng.choice(b"()].tR}bQehqKMJXc\x85\x86\x87\x88\x89\x81\x8aN0i")
        elif action == 1:
            content[at] ^= 1 << rng.randrange(8)
        elif action == 2:
            del content[at : at + rng.randrange(1, 8)]
        else:
            content[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 8)))
        if not content:
            break
    return record, archive.rebuilt({record: bytes(content)})


@kind("harmful pickle")
def _harmful(archive: Archive, rng: random.Random) -> tuple[str, bytes]:
    head = b"\x80\x02"
    variants = {
        "os.system": head + b"cposix\nsystem\nX\x0a\x00\x00\x00touch evil\x85R.",
        "deep lists": head + b"]" * 50_000 + b"e" * 50_000 + b".",
        "deep tuples": head + b")" + b"\x85" * 200_000 + b".",
        "announces 2 GB": head + b"X\xff\xff\xff\x7fa.",
        "marks": head + b"(" * 100_000 + b".",
        "contains itself": head + b"]q\x00(h\x00e.",
        "of nothing": b"",
        "memo": head + b"]r\xff\xff\xff\x7fj\xff\xff\xff\x7f.",
        "another class": archive.read("data.pkl").replace(b"___torch_mangle_0\n", b"___torch_mangle_1\n", 1),
    }
    what = rng.choice(list(variants))
    return what, archive.rebuilt({"data.pkl": variants[what]})


@kind("tensor description")
def _tensor(archive: Archive, rng: random.Random) -> tuple[str, bytes]:
    content = bytearray(archive.read("data.pkl"))
    places = [m.start() for m in re.finditer(rb"[KM]..?(?:\x85|t|K|M)", bytes(content), re.S)]
    for at in rng.sample(places, min(len(places), rng.choice([1, 2, 4]))):
        content[at + 1] = rng.choice([0, 1, 2, 5, 127, 255])
    if rng.random() < 0.3:
        names = [
            b"FloatStorage",
            b"DoubleStorage",
            b"LongStorage",
            b"BoolStorage",
            b"QInt8Storage",
            b"ComplexFloatStorage",
        ]
        changed = bytes(content).replace(rng.choice(names[:3]), rng.choice(names), 1)
        return "another type", archive.rebuilt({"data.pkl": changed})
    return "other numbers", archive.rebuilt({"data.pkl": bytes(content)})


@kind("record")
def _record(archive: Archive, rng: random.Random) -> tuple[str, bytes]:
    record = rng.choice(archive.names(r"^(?!.*debug_pkl)"))
    odd = [
        "../../evil",
        "/tmp/evil",
        "a\\b",
        f"{archive.top}/../evil",
        "evil",
        f"{archive.top}/data/999",
        f"{archive.top}/bytecode.pkl",
    ]
    action = rng.choice(["removed", "renamed", "doubled", "odd name", "swapped"])
    if action == "removed":
        return f"{record} removed", archive.rebuilt({record: None})
    if action == "renamed":
        name = rng.choice([*odd, archive.name(record) + "x", archive.name(record).upper()])
        return f"{record} renamed to {name}", archive.rebuilt(renamed={record: name})
    if action == "doubled":
        return f"{record} doubled", archive.rebuilt(extra=[(archive.name(record), archive.read(record)[::-1])])
    if action == "odd name":
        return "odd name", archive.rebuilt(extra=[(rng.choice(odd), b"x")])
    first, second = rng.sample(archive.names(r"^data/\d+$"), 2)
    return "two arrays swapped", archive.rebuilt({first: archive.read(second), second: archive.read(first)})


@kind("length of a record")
def _length(archive: Archive, rng: random.Random) -> tuple[str, bytes]:
    record = rng.choice(archive.names(r"^(data/\d+|version|byteorder|constants\.pkl)$"))
    content = archive.read(record)
    changed = rng.choice([b"", content[: len(content) // 2], content + b"\0", content * 2, content[:-1]])
    return f"{record}: {len(changed)} of {len(content)} bytes", archive.rebuilt({record: changed})


@kind("bomb")
def _bomb(archive: Archive, rng: random.Random) -> tuple[str, bytes]:
    record = rng.choice(["extra/unnp.json", "data.pkl", "data/0", *archive.names(r"^code/.*\.py$")[:3]])
    filling = rng.choice([b"\n", b" ", b"\0", b"("])
    size = rng.choice([2**16, 2**20, 2**24, 2**26])
    return f"{size} x {filling!r} in {record}", archive.rebuilt(
        {record: archive.read(record) + filling * size}, packed=(record,)
    )


LINES = [
    'torch.from_file("evil", True, 4, dtype=0, layout=None, device=None, pin_memory=None)',
    'torch.save(bond_vector, "evil")',
    '(bond_vector).save("evil")',
    'ops.aten.save(bond_vector, "evil")',
    "ops.inductor._reinterpret_tensor(bond_vector, [1000000], [1], 0)",
    "torch.as_strided(bond_vector, [1000000000], [1], 0)",
    "torch.set_(bond_vector, bond_vector)",
    "torch.empty([1000000], dtype=7, layout=None, device=None, pin_memory=None)",
    'print("ERROR: evil")',
    'open("evil", "w")',
    "__torch__.torch.classes.evil.Evil()",
    "torch.classes.load_library",
    "import os",
    "fork(species)",
    "torch.index_select(bond_vector, 0, torch.mul(species, 1000000))",
    "torch.mul(bond_vector, 0.)",
    "torch.reshape(bond_vector, [-7, 3])",
    "((((((((((" * 100,
    "unchecked_cast(__torch__.unnp.models.potential.Potential, self)",
    "torch.no_such_operator(species)",
    'ops.prim.RaiseException("a\\nERROR: b", "builtins.ValueError")',
    "ops.unnp.aggregate(bond_vector, bond_vector, torch.mul(bond_index, 1000000), n_updated, 0, 0)",
    "ops.unnp.exchange(bond_vector, 1000000000, 77)",
    "torch.zeros([1000000000000, 1000])",
]


@kind("code")
def _code(archive: Archive, rng: random.Random) -> tuple[str, bytes]:
    record = rng.choice(archive.names(r"^code/.*\.py$"))
    text = archive.read(record).decode()
    if rng.random() < 0.5:
        end = "    return torch.stack(energies)\n"
        record = next(name for name in archive.names(r"committee.*\.py$") if end.encode() in archive.read(name))
        line = rng.choice(LINES)
        used = line if "Raise" in line or "import" in line else f"_x = torch.append(energies, {line})"
        text = archive.read(record).decode().replace(end, f"    {used}\n{end}")
        return line[:60], archive.rebuilt({record: text.encode()})
    lines = text.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    action = rng.choice(["removed", "doubled", "indented", "character", "deep", "method"])
    if action == "removed":
        del lines[at]
    elif action == "doubled":
        lines.insert(at, lines[at])
    elif action == "indented":
        lines[at] = "  " + lines[at]
    elif action == "character":
        place = rng.randrange(len(lines[at]))
        lines[at] = lines[at][:place] + rng.choice("()[].,:=0x\"'\n\0\\#@") + lines[at][place + 1 :]
    elif action == "deep":
        lines[at] = "  " * 3000 + "if True:\n" + lines[at]
    else:
        lines.append("  def __setstate__(self, state: Tensor) -> NoneType:\n    return None\n")
    return f"{record} line {at} {action}", archive.rebuilt({record: "".join(lines).encode()})


@kind("bytes around it")
def _around(archive: Archive, rng: random.Random) -> tuple[str, bytes]:
    junk = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 100)))
    content = archive.content
    comment = content[:-2] + struct.pack("<H", len(junk)) + junk
    return rng.choice(
        [("in front", junk + content), ("behind", content + junk), ("a comment", comment), ("twice", content + content)]
    )
