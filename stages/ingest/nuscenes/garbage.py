"""Python's cyclic garbage collector, held still while millions of records that hold no cycle pass through."""

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def without_gc(function: Callable[P, T]) -> Callable[P, T]:
    """The function run with the collector off, and as it was before afterwards.

    The collector looks through every live container each time enough new ones were made: a fifth of the time that the
    tables take.
    """

    @wraps(function)
    def held(*args: P.args, **kwargs: P.kwargs) -> T:
        was_on = gc.isenabled()
        gc.disable()
        try:
            return function(*args, **kwargs)
        finally:
            if was_on:
                gc.enable()

    return held
