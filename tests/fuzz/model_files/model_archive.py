"""The records of a model file, to be written again with changes."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zipfile


class Archive:
    """The records of a model file, to be written again with changes and right checksums."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self.entries = archive.infolist()
            self.records = {e.filename: archive.read(e) for e in self.entries}
        self.top = self.entries[0].filename.split("/")[0]

    def name(self, record: str) -> str:
        return f"{self.top}/{record}"

    def read(self, record: str) -> bytes:
        return self.records[self.name(record)]

    def names(self, pattern: str) -> list[str]:
        """Records without the top folder that match a pattern."""
        inner = [name[len(self.top) + 1 :] for name in self.records]
        return [name for name in inner if re.search(pattern, name)]

    def span(self, record: str) -> tuple[int, int, int]:
        """Start of the local header, start and end of the contents."""
        entry = next(e for e in self.entries if e.filename == self.name(record))
        start = entry.header_offset
        name, extra = struct.unpack("<HH", self.content[start + 26 : start + 30])
        return start, start + 30 + name + extra, start + 30 + name + extra + entry.compress_size

    def rebuilt(
        self,
        changes: dict[str, bytes | None] | None = None,
        extra: list[tuple[str, bytes]] | None = None,
        packed: tuple[str, ...] = (),
        renamed: dict[str, str] | None = None,
    ) -> bytes:
        """Return the archive with records changed (None: left out), added, packed or renamed; checksums are right."""
        file = io.BytesIO()
        changes = {self.name(k): v for k, v in (changes or {}).items()}
        new_names = {self.name(k): v for k, v in (renamed or {}).items()}
        with warnings.catch_warnings(), zipfile.ZipFile(file, "w") as archive:
            warnings.simplefilter("ignore", UserWarning)
            for name, content in self.records.items():
                kept = changes.get(name, content) if name in changes else content
                if kept is not None:
                    method = zipfile.ZIP_DEFLATED if name in map(self.name, packed) else zipfile.ZIP_STORED
                    archive.writestr(zipfile.ZipInfo(new_names.get(name, name)), kept, method)
            for name, content in extra or []:
                archive.writestr(zipfile.ZipInfo(name), content)
        return file.getvalue()
