"""What an estimate means, in words: right, off by so much, or not to be told from these images."""

from dataclasses import dataclass
from typing import Literal

from paintpipe.stages.evaluate.alignment.estimate import CameraEstimate, Measured
from paintpipe.stages.evaluate.alignment.offsets import WIDEST_DEG, Grid

State = Literal["ok", "off", "cannot tell"]
SURE = 2.5
"""An offset is believed from so many of its standard deviations on."""
TOLERANCE_DEG = {"roll": 0.35, "pitch": 0.3, "yaw": 0.3}
"""Smaller ones are found on data that are right."""
TOLERANCE_SHIFT = {"ms": 35.0, "frames": 0.5}
_LOOSE = {"roll": 0.2, "pitch": 0.2, "yaw": 0.2}
_LOOSE_SHIFT = 0.2
"""Above so much of the range that was tried, a deviation says that scores have no common best (and for ±1 degree, half
a degree could hide in it)."""
_TOGETHER = {"yaw": 0.2, "pitch": 0.4}
"""The same for both together: without them nothing in the images answers to the points at all."""
_FLATTEST = 0.15
"""Shifts whose scores differ by less than this share of the best say nothing of time: the car stood, or nearly."""
ABOVE_CHANCE = 5.0
"""The best score is at least so many times what mirrored images give; noise reaches 4.3 where truth begins at 5.2."""

_OR_MORE = " or more"


@dataclass(frozen=True)
class Verdict:
    """The state of a camera's projection, and what to say of it."""

    state: State
    words: str


def judge(found: CameraEstimate, grid: Grid, turned: str = "") -> Verdict:
    """The verdict on one camera, or on all together.

    A wrong pairing in time comes first: rotations that were measured with it mean nothing.

    Args:
        found: what was measured.
        grid: what was tried.
        turned: what would have to turn, where it is not the camera.
    """
    if found.shift is not None and _shift_told(found) and _is_off(found.shift, TOLERANCE_SHIFT[found.shift_unit]):
        return Verdict("off", f"looks off in time: images taken {_shift_words(found)} than told; mend that first")
    axes = {"roll": found.roll, "pitch": found.pitch, "yaw": found.yaw}
    known = {name: axis for name, axis in axes.items() if axis is not None}
    if not found.num_views:
        return Verdict("cannot tell", "cannot tell: none of its images could be looked at")
    if len(known) < len(axes):
        return Verdict("cannot tell", "cannot tell: no depth jump lies in its images")
    reach = f"{grid.max_angle_deg:g}°"
    if not _above_chance(found, found.score_at_best):
        return Verdict("cannot tell", f"cannot tell: nothing within {reach} fits better than chance; try more frames")
    if any(known[name].at_limit for name in _TOGETHER):
        more = min(3 * grid.max_angle_deg, WIDEST_DEG)
        what = "cannot tell: the best lies at the end of what was tried"
        return Verdict("cannot tell", f"{what}; try --max-angle {more:g}" if more > grid.max_angle_deg else what)
    if any(known[name].deviation > share * grid.max_angle_deg for name, share in _TOGETHER.items()):
        return Verdict("cannot tell", f"cannot tell: edges agree with no one offset within {reach}; try more frames")
    told = {name: axis for name, axis in known.items() if axis.deviation <= _LOOSE[name] * grid.max_angle_deg}
    wrong = {name: axis for name, axis in told.items() if _is_off(axis, TOLERANCE_DEG[name])}
    unsure = [name for name in known if name not in told]
    unsure += [] if _shift_told(found) else ["time"]
    but = f" ({', '.join(unsure)} can't be told)" if unsure else ""
    if not wrong:
        which = "" if len(told) == len(axes) else f"{', '.join(told)} "
        return Verdict("ok", f"{which}ok{but}")
    turns = ", ".join(_turn_words(name, axis) for name, axis in wrong.items())
    what = f"{turned} were " if turned else ""
    return Verdict("off", f"looks off: would fit if {what}turned by {turns}{but}")


def _is_off(axis: Measured, tolerance: float) -> bool:
    return abs(axis.value) > max(tolerance, SURE * axis.deviation)


def _above_chance(found: CameraEstimate, score: float) -> bool:
    return score > 0.0 and score >= ABOVE_CHANCE * found.chance


def _shift_told(found: CameraEstimate) -> bool:
    if found.shift is None or not _above_chance(found, float(found.shift.scores.max())):
        return False
    best, worst = float(found.shift.scores.max()), float(found.shift.scores.min())
    reach = float(found.shift.offsets[-1] - found.shift.offsets[0]) / 2
    return best - worst >= _FLATTEST * best and found.shift.deviation <= _LOOSE_SHIFT * reach


def _turn_words(name: str, axis: Measured) -> str:
    return f"{name} {axis.value:+.2f}° ± {axis.deviation:.2f}°{_OR_MORE if axis.at_limit else ''}"


def _shift_words(found: CameraEstimate) -> str:
    assert found.shift is not None
    later = "later" if found.shift.value > 0 else "earlier"
    size, sure = abs(found.shift.value), found.shift.deviation
    more = _OR_MORE if found.shift.at_limit else ""
    if found.shift_unit == "ms":
        return f"{size:.0f} ± {sure:.0f} ms{more} {later}"
    return f"{size:.1f} ± {sure:.1f} frames{more} {later}"
