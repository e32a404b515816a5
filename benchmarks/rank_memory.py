"""Run a command and write its peak memory [MB] into a folder: ``mpirun ... python rank_memory.py FOLDER COMMAND...``."""

import os
import resource
import subprocess
import sys
from pathlib import Path

folder, *command = sys.argv[1:]
# The descriptors by which mpirun talks to its ranks have to reach the command.
code = subprocess.call(command, close_fds=False)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
Path(folder, f"rank-{os.getpid()}.mb").write_text(f"{peak}\n")
sys.exit(code)
