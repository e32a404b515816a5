"""A run that ends with the process that started it, however that one ends: also after kill -9."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

from unnp.errors import LammpsError

GRACE_SECONDS = 10

# It waits for a word or for the other end of its pipe to close, which happens when the starter is gone.
_WATCH = f"""read word && exit
kill -s TERM -- "-$0"
for second in $(seq {GRACE_SECONDS}); do kill -s 0 -- "-$0" || exit; sleep 1; done
kill -s KILL -- "-$0"
"""


@contextlib.contextmanager
def leash(group: int) -> Iterator[None]:
    """End a group of processes, politely first, if this process ends within the ``with`` block.

    A process of its own watches this one through a pipe. Unlike a signal at the parent's death, that reaches all of a group,
    also where a launcher or a script stands between, and it does not depend on the thread that started them.

    Args:
        group: number of the group; one that this process is not in.

    Raises:
        LammpsError: there is no shell to watch with.
    """
    try:
        watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, str(group)],
            cwd="/",  # it keeps no folder busy
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # what ends this process and its terminal does not end it
        )
    except OSError as error:
        raise LammpsError(f"cannot start /bin/sh: {error.strerror}.") from None
    try:
        yield
    finally:
        watcher.communicate(b"ended\n")
