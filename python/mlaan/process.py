"""Settings of the process that training on the CPU is faster with."""

from __future__ import annotations

from typing import Dict, Union

from . import _engine


def prepare_process(threads: int = 0) -> Dict[str, Union[int, str]]:
    """Lets the C library keep freed memory between steps, and sets the number of threads.

    What the program does at its start; call it once, before the first tensor.

    Args:
        threads: that kernels use; 0 for every processor that the process may run on.

    Returns:
        ``threads``, ``blas`` (the library's file) and ``hint`` (what to do about a slow one).
    """
    found = _engine.prepare_process(threads)
    return dict(zip(("threads", "blas", "hint"), found))
