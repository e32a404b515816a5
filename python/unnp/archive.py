"""The archive that an exported model is: checked, and its manifest read, before any of its code is run."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath

from unnp.errors import ModelError
from unnp.manifest import MANIFEST_NAME, Manifest

MAX_MANIFEST_BYTES = 16 * 2**20
EXPORT_ADVICE = "Models are written by `unnp export RUN -o model.pt`."


def read_manifest(path: str | Path) -> Manifest:
    """Return the manifest of an exported model without opening the model itself.

    Raises:
        ModelError: no file, not TorchScript, not ours, or a manifest of a newer format or with mistakes.
    """
    return inspect(Path(path))[0]


def inspect(path: Path) -> tuple[Manifest, bool]:
    """Return the manifest and whether the code uses our ops, after checking the archive."""
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise ModelError(f"model file {path} {what}. {EXPORT_ADVICE}")
    try:
        if not zipfile.is_zipfile(path):
            raise ModelError(f"{path} is not a TorchScript file. {EXPORT_ADVICE}")
        with zipfile.ZipFile(path) as archive:
            return _read_archive(archive, path)
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{path} cannot be read, it is damaged or cut short ({error}). Export or copy it again."
        ) from None


def _read_archive(archive: zipfile.ZipFile, path: Path) -> tuple[Manifest, bool]:
    entries = archive.infolist()
    _check_entries(entries, path)
    if archive.testzip() is not None:
        raise zipfile.BadZipFile(f"checksum of {archive.testzip()}")
    by_name = {PurePosixPath(*PurePosixPath(e.filename).parts[1:]).as_posix(): e for e in entries}
    code = [entry for name, entry in by_name.items() if name.startswith("code/") and name.endswith(".py")]
    if "constants.pkl" not in by_name or not code:
        hint = " It looks like a checkpoint of torch.save." if "data.pkl" in by_name else ""
        raise ModelError(f"{path} is not a TorchScript file.{hint} {EXPORT_ADVICE}")
    text = by_name.get(f"extra/{MANIFEST_NAME}")
    if text is None:
        raise ModelError(
            f"{path} is a TorchScript file without {MANIFEST_NAME}, so it was not written by unnp. {EXPORT_ADVICE}"
        )
    if text.file_size > MAX_MANIFEST_BYTES:
        raise ModelError(
            f"{path}: {MANIFEST_NAME} has {text.file_size} bytes, more than any real one. Do not use this file."
        )
    manifest = Manifest.from_json(archive.read(text), path)
    return manifest, any(b"ops.unnp." in archive.read(entry) for entry in code)


def _check_entries(entries: list[zipfile.ZipInfo], path: Path) -> None:
    """Refuse archives that no export writes: odd names, or contents larger than the file (a compression bomb)."""
    for entry in entries:
        name = PurePosixPath(entry.filename)
        if name.is_absolute() or ".." in name.parts or "\\" in entry.filename:
            raise ModelError(
                f"{path} holds an entry named {entry.filename!r}, which no export writes. Do not use this file."
            )
    # Tensors are stored as they are; only the few kilobytes of code and debug tables are compressed, by at most 1:1000.
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > 20 * path.stat().st_size + 2**24:
        raise ModelError(f"{path} unpacks to {unpacked / 2**20:.0f} MiB, more than a model can. Do not use this file.")
