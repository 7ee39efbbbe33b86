"""The console command `mlaan`: the program that the wheel holds."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import sys


def program() -> pathlib.Path:
    """The program's file."""
    return pathlib.Path(__file__).parent / "bin" / "mlaan"


def _environment() -> "dict[str, str]":
    """Where torch lies elsewhere than beside this package, its libraries have to be named."""
    environment = dict(os.environ)
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return environment
    libraries = pathlib.Path(found.origin).parent / "lib"
    beside = pathlib.Path(__file__).parent.parent / "torch" / "lib"
    if libraries != beside and (libraries / "libtorch.so").is_file():
        paths = [str(libraries), environment.get("LD_LIBRARY_PATH", "")]
        environment["LD_LIBRARY_PATH"] = ":".join(path for path in paths if path)
    return environment


def main() -> None:
    """Becomes the program, with the same arguments."""
    file = program()
    if not file.is_file():
        sys.exit(f"mlaan: this installation has no program {file}; build it with MLAAN_BUILD_CLI")
    os.execve(file, ["mlaan", *sys.argv[1:]], _environment())
