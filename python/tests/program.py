"""The program, where it was built or is in the wheel."""

import os
import sys

import mlaan._program

_FOUND = os.environ.get("MLAAN_PROGRAM")

#: What runs it; empty where there is none.
COMMAND = (
    [_FOUND]
    if _FOUND
    else [sys.executable, "-m", "mlaan"]
    if mlaan._program.program().is_file()
    else []
)
