"""Settings of the process that make training on the CPU faster."""

from __future__ import annotations

from typing import Dict, Union

from . import _engine
from .arguments import whole


def prepare_process(threads: int = 0) -> Dict[str, Union[int, str]]:
    """Makes the C library keep freed memory between steps, and sets the number of threads.

    The program does this at its start; call it once, before the first tensor is made.

    Args:
        threads: number of threads of kernels; 0 for one on each processor that the process may use.

    Returns:
        ``threads``, ``blas`` (the library's file) and ``hint`` (what to do if that one is slow).

    Raises:
        UserError: for a negative number of threads.
    """
    found = _engine.prepare_process(whole(threads, 0, "threads", 4096))
    return dict(zip(("threads", "blas", "hint"), found))
