"""Box rows: annotations of the global frame, seen from the LiDAR of their keyframe."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Bool, Float64, Int64
from paintpipe.schemas.catalog import BoxRow, FrameRow, RejectedRow
from paintpipe.stages.ingest.nuscenes import poses
from paintpipe.stages.ingest.nuscenes.annotations import UNKNOWN_COUNT, Annotations
from paintpipe.stages.ingest.nuscenes.columns import as_list, frozen_rows
from paintpipe.stages.ingest.nuscenes.tables import dangling

MAX_GAP_S = 1.5
"""Annotations further apart than this say nothing of velocity (the devkit's `box_velocity`)."""
_NO_ROW = -1


@dataclass(frozen=True)
class Keyframe:
    """A frame that may have boxes.

    Attributes:
        row: its row in the catalog.
        sample: its sample's place.
        global_SE3_lidar: (4, 4).
        rotations_wxyz: (4,) of global_SE3_ego and (4,) of ego_SE3_lidar.
    """

    row: FrameRow
    sample: int
    global_SE3_lidar: Float64
    rotations_wxyz: tuple[Float64, Float64]


@dataclass(frozen=True)
class _Moved:
    """Boxes in the LiDAR frame: (N, 3) centres, (N, 4) unit rotations, (N, 2) velocities with NaN where unknown."""

    center_m: Float64
    rotation_wxyz: Float64
    velocity_mps: Float64


class SceneBoxes:
    """The annotations of one scene.

    Args:
        annotations: of all scenes.
        span: first and last (exclusive) sample of the scene.
        sample_us: (S,) time of every sample.
        table_path: where sample_annotation lies, for messages.
    """

    def __init__(self, annotations: Annotations, span: tuple[int, int], sample_us: Int64, table_path: str) -> None:
        low, high = (int(row) for row in np.searchsorted(annotations.columns["sample"], span))
        self._annotations, self._table_path = annotations, table_path
        self._columns = {name: column[low:high] for name, column in annotations.columns.items()}
        self._tokens: list[str] = as_list(self._columns["token"], 0, high - low)
        self.rejected: list[RejectedRow] = []
        self._usable = self._check()
        self._velocity_mps = self._velocities(sample_us)

    def rows(self, keyframes: list[Keyframe]) -> list[BoxRow]:
        """The boxes of those keyframes, in order of frame and of the table."""
        edges = np.searchsorted(self._columns["sample"], [[frame.sample, frame.sample + 1] for frame in keyframes])
        frame_of = np.repeat(np.arange(len(keyframes)), edges[:, 1] - edges[:, 0])
        place = np.concatenate([np.arange(low, high) for low, high in edges])
        frame_of, place = frame_of[self._usable[place]], place[self._usable[place]]
        lidar_SE3_global = poses.invert_rigid(np.array([frame.global_SE3_lidar for frame in keyframes]))[frame_of]
        ego_wxyz, mount_wxyz = np.array([frame.rotations_wxyz for frame in keyframes]).swapaxes(0, 1)
        lidar_wxyz = poses.normalised(poses.multiply(ego_wxyz, mount_wxyz))[frame_of]
        moved = _Moved(
            center_m=_rotated(lidar_SE3_global, self._columns["translation_m"][place]) + lidar_SE3_global[:, :3, 3],
            rotation_wxyz=poses.multiply(
                poses.conjugate(lidar_wxyz), poses.normalised(self._columns["rotation_wxyz"][place])
            ),
            velocity_mps=_rotated(lidar_SE3_global, self._velocity_mps[place])[:, :2],
        )
        return self._make([keyframes[number].row for number in frame_of.tolist()], place, moved)

    def _make(self, frames: list[FrameRow], place: Int64, moved: "_Moved") -> list[BoxRow]:
        shared = self._annotations
        instances = self._columns["instance"][place].tolist()
        details = [shared.details[code] for code in self._columns["detail"][place].tolist()]
        known = np.isfinite(moved.velocity_mps).all(axis=1).tolist()
        counts = self._columns["num_lidar_points"][place].tolist()
        columns: dict[str, Iterable[Any]] = {
            "sequence": [frame.sequence for frame in frames],
            "index": [frame.index for frame in frames],
            "frame_id": [frame.frame_id for frame in frames],
            "class_name": [shared.classes[code] for code in instances],
            "center_m": moved.center_m,
            "size_lwh_m": self._columns["size_wlh_m"][place][:, [1, 0, 2]],
            "yaw_rad": poses.yaw_rad(moved.rotation_wxyz).tolist(),
            "instance_token": [shared.instances[code] for code in instances],
            "annotation_token": [self._tokens[row] for row in place.tolist()],
            "rotation_wxyz": moved.rotation_wxyz,
            "velocity_mps": [v if usable else None for v, usable in zip(moved.velocity_mps, known, strict=True)],
            "visibility": [level for level, _ in details],
            "attribute": [attribute for _, attribute in details],
            "num_lidar_points": [None if count == UNKNOWN_COUNT else count for count in counts],
        }
        return frozen_rows(BoxRow, columns)

    def _check(self) -> Bool:
        """(A,) which boxes have numbers that a box can have; the others are rejected."""
        columns = self._columns
        usable = poses.usable_quaternions(columns["rotation_wxyz"]) & np.isfinite(columns["translation_m"]).all(axis=1)
        usable &= (np.isfinite(columns["size_wlh_m"]) & (columns["size_wlh_m"] > 0)).all(axis=1)
        for row in np.flatnonzero(~usable):
            values = {name: columns[name][row].tolist() for name in ("translation_m", "size_wlh_m", "rotation_wxyz")}
            self._reject(int(row), f"no box: {values}")
        checked: Bool = usable
        return checked

    def _velocities(self, sample_us: Int64) -> Float64:
        """(A, 3) velocity in the global frame, NaN where it is unknown.

        As the devkit's `box_velocity`: from the annotation before to the one after, or from or to the box itself where
        one is lacking; unknown where both are, or where the two lie too far apart.
        """
        own = np.arange(len(self._tokens))
        place = {token: row for row, token in enumerate(self._tokens)}
        first, last = self._linked("prev", place), self._linked("next", place)
        gap_s = np.where((first != own) & (last != own), 2 * MAX_GAP_S, MAX_GAP_S)
        time_s = 1e-6 * sample_us[self._columns["sample"]]
        elapsed_s = time_s[last] - time_s[first]
        elapsed_s[(first == last) | (elapsed_s > gap_s) | (elapsed_s == 0)] = np.nan
        position_m = self._columns["translation_m"]
        velocity_mps: Float64 = (position_m[last] - position_m[first]) / elapsed_s[:, None]
        return velocity_mps

    def _linked(self, link: str, place: dict[str, int]) -> Int64:
        """(A,) row of each box's `prev` or `next`, its own where it has none or a dangling one."""
        tokens: list[str] = as_list(self._columns[link], 0, len(self._tokens))
        rows = np.array([place.get(token, _NO_ROW) for token in tokens], dtype=np.int64)
        lacking = np.flatnonzero(rows == _NO_ROW)
        for row in lacking.tolist():
            if tokens[row]:
                reason = (
                    f"{link} {dangling('sample_annotation', tokens[row])}: the box is kept, its velocity goes without"
                )
                self._reject(row, reason)
        rows[lacking] = lacking
        return rows

    def _reject(self, row: int, reason: str) -> None:
        text = f"sample_annotation {self._tokens[row]}: {reason}"
        self.rejected.append(RejectedRow(self._table_path, "ingest", text))


def _rotated(dst_SE3_src: Float64, vectors_src: Float64) -> Float64:
    """(N, 3) vectors turned, each by its own (N, 4, 4) transform."""
    turned: Float64 = np.einsum("nij,nj->ni", dst_SE3_src[:, :3, :3], vectors_src)
    return turned
