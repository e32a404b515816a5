"""A teacher in a process of its own, run by a Python of its own, asked over pipes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections import deque
from pathlib import Path
from typing import Any

from unnp.data.teachers import serve
from unnp.errors import ConfigError, UnnpError, in_one_line

SECONDS_TO_BEGIN = 600.0
_SECONDS_TO_END = 2.0
_LAST_LINES = 5


class TeacherProcess:
    """A teacher that another Python runs; see ``serve`` for what is spoken. It ends with this process, however that ends.

    Args:
        python: the interpreter; it needs neither unnp nor anything else of this environment.
        arguments: those of ``serve.Teacher``.

    Raises:
        ConfigError: the interpreter cannot be run, or the teacher cannot begin, and why.
    """

    def __init__(self, python: Path, arguments: dict[str, Any]) -> None:
        self._command = [str(python), "-I", serve.__file__, json.dumps(arguments)]
        self.description = self._begin()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the labels of a request, or what went wrong.

        A process that has died is begun anew with the next request: a structure that kills it costs that structure alone.

        Raises:
            UnnpError: the process has died, or does not speak the protocol.
            ConfigError: it has died before, and cannot begin again.
        """
        if self._process.poll() is not None:
            self._begin()
        with contextlib.suppress(OSError):  # it has died meanwhile: what is read says so
            self._input.write(json.dumps(request) + "\n")
            self._input.flush()
        answered = self._read()
        if answered is None:
            raise UnnpError(f"its process ended ({self._reason()})")
        return answered

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self._input.close()
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def _begin(self) -> dict[str, Any]:
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # Ctrl-C is for this process, which then closes the pipe
            )
        except OSError as error:
            raise ConfigError(f"{self._command[0]} cannot be run ({error.strerror})") from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self._last_words: deque[str] = deque(maxlen=_LAST_LINES)
        self._listener = threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
        self._listener.start()
        said, late = self._first_word()
        if said is not None and {"package", "elements", "properties"} <= said.keys():
            return said
        if said is not None:
            reason = str(said.get("error", "it says nothing of itself"))
        elif late:
            reason = f"{self._command[0]} did not begin within {SECONDS_TO_BEGIN:g} s"
        else:
            reason = f"its process ended while it began ({self._reason()})"
        self.close()
        raise ConfigError(reason)

    def _first_word(self) -> tuple[dict[str, Any] | None, bool]:
        """Return what the process says when it begins, and whether it was ended because it said nothing for too long."""
        late = threading.Event()

        def lose_patience() -> None:
            late.set()
            self._process.kill()

        patience = threading.Timer(SECONDS_TO_BEGIN, lose_patience)
        patience.start()
        try:
            return self._read(), late.is_set()
        finally:
            patience.cancel()

    def _read(self) -> dict[str, Any] | None:
        """Return what the process says next; None where it says nothing any more."""
        line = self._output.readline()
        if not line.endswith("\n"):
            return None
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            self._process.kill()
            raise UnnpError(
                f"{self._command[0]} does not speak the teachers' protocol ({in_one_line(line.strip(), 60)})"
            )
        return said

    def _listen(self, errors: Any) -> None:
        with errors:
            for line in errors:
                if line.strip():
                    self._last_words.append(line.strip())

    def _reason(self) -> str:
        code = self._process.wait()
        self._listener.join(_SECONDS_TO_END)
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return in_one_line(": ".join([how, *list(self._last_words)[-1:]]), 300)


def check_interpreter(path: Path) -> Path:
    """Return the absolute path of a Python, links in it kept, as they say which environment it is of.

    Raises:
        ConfigError: there is no such program, or its name is not that of a Python.
    """
    path = Path(os.path.abspath(path.expanduser()))
    if not path.name.startswith("python"):
        raise ConfigError(
            f"python: {path} is no Python by its name; name the interpreter, for instance ENVIRONMENT/bin/python"
        )
    if not path.is_file() or not os.access(path, os.X_OK):
        raise ConfigError(f"python: {path} is no program that can be run; name the interpreter, ENVIRONMENT/bin/python")
    return path
