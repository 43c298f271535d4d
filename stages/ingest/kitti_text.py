"""The text files of the KITTI family: `key: numbers` calibrations, poses of 12 numbers a line, one number a line."""

from array import array
from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.errors import CalibrationError
from paintpipe.schemas.geometry import determinant, se3

MAX_LINES = 1_000_000
"""Of a file with a line for each frame of a sequence; the longest of KITTI has 5,000."""
MAX_TIME_US = float(1 << 62)
"""The difference of any two times fits into int64."""
_MAX_TIME = 1e22
"""In any unit: nanoseconds of today have 19 digits."""
MAX_CALIBRATION_CHARS = 1_000_000
MAX_NUMBER = 1e12
"""Matrices and poses hold metres, pixels and shares of one: products of a few of them stay finite."""


@dataclass(frozen=True)
class Calibration:
    """One calibration file.

    Attributes:
        where: the file's path.
        values: key → the text behind its colon.
    """

    where: str
    values: dict[str, str]

    def numbers(self, key: str, shape: tuple[int, ...]) -> Float64:
        """float64 array of `shape` under a key.

        Raises:
            CalibrationError: the key is missing, or it does not hold that many finite numbers.
        """
        if key not in self.values:
            found = ", ".join(self.values) or "no key at all"
            todo = "fetch the calibration again, or mend the file"
            raise CalibrationError(
                f"key {key} is missing", where=self.where, expected=f"{key} beside {found}", todo=todo
            )
        return _numbers(self.values[key], shape, f"{self.where}: {key}")

    def rotation(self, key: str) -> Float64:
        """(3, 3) rotation under a key; raises CalibrationError also where it is none."""
        return check_rotation(self.numbers(key, (3, 3)), f"{self.where}: {key}")

    def se3(self, key: str) -> Float64:
        """(4, 4) rigid transform from the 3x4 matrix under a key; raises CalibrationError also where it is none."""
        matrix = self.numbers(key, (3, 4))
        return se3(check_rotation(matrix[:, :3], f"{self.where}: {key}"), matrix[:, 3])

    def projection(self, key: str) -> Float64:
        """(3, 4) projection under a key whose left 3x3 is invertible; raises CalibrationError where it is not."""
        matrix = self.numbers(key, (3, 4))
        check_intrinsics(matrix[:, :3], f"{self.where}: {key}")
        return matrix


def parse_calibration(text: str, where: str) -> Calibration:
    """The keys of a calibration file; lines without a colon are skipped. Raises CalibrationError above 1 MB."""
    if len(text) > MAX_CALIBRATION_CHARS:
        raise CalibrationError(f"{len(text):,} characters", where=where, expected="a calibration of some lines")
    pairs = (line.partition(":") for line in text.splitlines())
    return Calibration(where, {key.strip(): value.strip() for key, colon, value in pairs if colon})


def check_rotation(rotation: Float64, where: str) -> Float64:
    """The rotation itself.

    Published rotations have 4 to 12 digits, so they are orthonormal to about 1e-4; what is off by more than 1e-2 is a
    wrong or singular matrix.

    Raises:
        CalibrationError: it is no rotation.
    """
    off = float(np.abs(rotation @ rotation.T - np.eye(3)).max())
    size = determinant(rotation)
    if off > 1e-2 or size < 0:
        kind = "singular" if abs(size) < 1e-6 else "no rotation"
        raise CalibrationError(f"the matrix is {kind} (determinant {size:.3g})", where=where, expected="a rotation")
    return rotation


def check_intrinsics(K: Float64, where: str) -> Float64:
    """The (3, 3) intrinsics themselves; raises CalibrationError where they are singular."""
    scale = float(np.abs(K).max())
    if scale == 0 or abs(determinant(K / scale)) < 1e-12:
        expected = "an invertible camera matrix"
        raise CalibrationError("the camera matrix is singular", where=where, expected=expected)
    return K


def check_last_row(matrices: Float64, where: str) -> Float64:
    """The (..., 3, 3) intrinsics or (..., 4, 4) transforms themselves; (..., 3, 4) have no such row and always pass.

    Raises:
        CalibrationError: the last row of one is not 0 … 0 1 within 1e-6, as that of a transposed matrix.
    """
    size = matrices.shape[-1]
    if matrices.shape[-2] != size:
        return matrices
    last = np.eye(size)[-1]
    if not bool(np.all(np.abs(matrices[..., -1, :] - last) <= 1e-6)):
        expected = " ".join(f"{number:g}" for number in last)
        raise CalibrationError("the last row is another (transposed?)", where=where, expected=expected)
    return matrices


def parse_poses(text: str, where: str) -> Float64:
    """(n, 4, 4) float64 transforms from lines of 12 numbers, the 3x4 matrix row by row.

    Raises:
        CalibrationError: a line holds something else, or nothing: skipping it would move all later poses.
    """
    rows = _number_rows(text, (3, 4), where)
    poses = np.tile(np.eye(4), (len(rows), 1, 1))
    poses[:, :3] = rows
    return poses


def parse_column(text: str, where: str) -> Float64:
    """(n,) float64 from lines of one number; raises CalibrationError where a line holds something else or nothing."""
    return _number_rows(text, (1,), where, _MAX_TIME)[:, 0]


def parse_times_us(text: str, where: str, us_per_unit: float) -> Float64:
    """(n,) float64 µs from lines of one time each; raises CalibrationError also for a time that int64 can't hold."""
    times_us: Float64 = parse_column(text, where) * us_per_unit
    far = np.flatnonzero(np.abs(times_us) > MAX_TIME_US)
    if len(far):
        raise CalibrationError(
            "no time of a drive", where=f"{where}: line {far[0] + 1}", expected="a time in this unit"
        )
    return times_us


def lines_of(text: str, where: str) -> list[str]:
    """The lines of a file that has one for each frame, without the blank ones at its end: those inside count.

    Raises:
        CalibrationError: more lines than any sequence has frames.
    """
    if text.count("\n") > MAX_LINES:
        raise CalibrationError(f"more than {MAX_LINES:,} lines", where=where, expected="one for each frame")
    return text.rstrip().split("\n") if text.strip() else []


def _number_rows(text: str, shape: tuple[int, ...], where: str, most: float = MAX_NUMBER) -> Float64:
    """(n, *shape) float64 from a line for each: a microsecond a line, where `_numbers` takes ten."""
    lines, count = lines_of(text, where), int(np.prod(shape))
    numbers = array("d")
    for at, line in enumerate(lines, 1):
        words = line.split()
        try:
            numbers.extend(map(float, words))
        except ValueError:
            words = []
        if len(words) != count:
            _numbers(line, shape, f"{where}: line {at}")  # raises, and says why
    values = np.array(numbers, dtype=np.float64).reshape(len(lines), *shape)
    wrong = np.flatnonzero(~(np.abs(values) <= most).reshape(len(values), count).all(axis=1))
    if len(wrong):
        _numbers(lines[wrong[0]], shape, f"{where}: line {wrong[0] + 1}", most)
    return values


def _numbers(text: str, shape: tuple[int, ...], where: str, most: float = MAX_NUMBER) -> Float64:
    count = int(np.prod(shape))
    expected = f"{count} finite number{'s' if count > 1 else ''}"
    words = text.split()
    try:
        values = np.array([float(word) for word in words], dtype=np.float64)
    except ValueError as error:
        raise CalibrationError(str(error), where=where, expected=expected) from None
    if len(values) != count:
        raise CalibrationError(f"{len(values)} numbers", where=where, expected=expected)
    if not np.isfinite(values).all():
        raise CalibrationError("a number is not finite", where=where, expected=expected)
    if (np.abs(values) > most).any():
        raise CalibrationError(f"a number above {most:g}", where=where, expected=expected)
    return values.reshape(shape)
