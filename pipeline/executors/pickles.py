"""Pickling between the coordinator and its own workers, and nowhere else."""

import pickle
from typing import Any


def pack(value: object) -> bytes:
    """`value` for another process of this run."""
    return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)


def unpack(packed: bytes) -> Any:
    """What `pack` packed. Only for bytes from this run's own processes: a pickle can run code."""
    return pickle.loads(packed)  # noqa: S301
