"""The small messages that larger ones are made of."""

from typing import Any

from paintpipe.schemas.arrays import Float64


def stamp(time_ns: int) -> Any:
    """foxglove.Timestamp."""
    from foxglove.messages import Timestamp

    return Timestamp(sec=time_ns // 1_000_000_000, nsec=time_ns % 1_000_000_000)


def vector(values: Float64) -> Any:
    """foxglove.Vector3 of (3,) numbers."""
    from foxglove.messages import Vector3

    x, y, z = (float(value) for value in values)
    return Vector3(x=x, y=y, z=z)


def rotation(wxyz: Float64) -> Any:
    """foxglove.Quaternion of (4,) w, x, y, z."""
    from foxglove.messages import Quaternion

    w, x, y, z = (float(value) for value in wxyz)
    return Quaternion(w=w, x=x, y=y, z=z)
