"""How the loops of painting are compiled: once for all runs, without the interpreter's lock, without fast-math."""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile on first call; the machine code is kept beside the source, or in the user's cache folder.

    Fast-math stays off and loops run on one thread, so that the same input gives the same bytes everywhere.
    """
    jit: Any = njit
    try:
        return jit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder can be written to: compile anew in each process
        return jit(nogil=True)(function)
