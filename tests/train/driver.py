"""``unnp`` with the toy architecture, and a signal to itself (of two processes: to the second) after a given step.

python driver.py SIGNAL|none STEP ARGUMENTS...
"""

import os
import signal
import sys
from typing import Any

import toy  # noqa: F401 (registers)
from unnp.cli import main
from unnp.train.trainer import Trainer


def kill_after(step: int, name: str) -> None:
    """Let the trainer send its process a signal when ``step`` steps are done, before a checkpoint could be written."""
    after_step = Trainer._after_step

    def patched(self: Any) -> None:
        if self.state.position.step == step and os.environ.get("RANK", "1") == "1":
            os.kill(os.getpid(), getattr(signal, name))
        after_step(self)

    Trainer._after_step = patched  # type: ignore[method-assign]


if __name__ == "__main__":
    how, step = sys.argv[1:3]
    if how != "none":
        kill_after(int(step), how)
    sys.argv = ["unnp", *sys.argv[3:]]
    main()
