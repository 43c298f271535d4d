"""Box rows: annotations of the global frame, seen from the LiDAR of their keyframe."""

import numpy as np
import pyarrow as pa

from paintpipe.schemas.arrays import Bool, Float64, Int64
from paintpipe.schemas.catalog import BoxRow, FrameRow, RejectedRow
from paintpipe.stages.ingest.nuscenes import poses
from paintpipe.stages.ingest.nuscenes.annotations import UNKNOWN_COUNT, Annotations
from paintpipe.stages.ingest.nuscenes.columns import as_list
from paintpipe.stages.ingest.nuscenes.tables import dangling

MAX_GAP_S = 1.5
"""Annotations further apart than this say nothing of velocity (the devkit's `box_velocity`)."""


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
        self._names, self._table_path = annotations.names, table_path
        self._columns = {name: column[low:high] for name, column in annotations.columns.items()}
        self._tokens: list[str] = as_list(self._columns["token"], 0, high - low)
        self.rejected: list[RejectedRow] = []
        self._usable = self._check()
        self._velocity_mps = self._velocities(sample_us)

    def rows(self, frame: FrameRow, sample: int, lidar_rotation_wxyz: Float64) -> list[BoxRow]:
        """The boxes of one keyframe.

        Args:
            frame: whose `global_SE3_lidar` is known.
            sample: its sample's place.
            lidar_rotation_wxyz: (4,) rotation of global_SE3_lidar.
        """
        low, high = (int(row) for row in np.searchsorted(self._columns["sample"], [sample, sample + 1]))
        kept = low + np.flatnonzero(self._usable[low:high])
        if frame.global_SE3_lidar is None or not len(kept):
            return []
        lidar_SE3_global = np.linalg.inv(frame.global_SE3_lidar)
        center_m = self._columns["translation_m"][kept] @ lidar_SE3_global[:3, :3].T + lidar_SE3_global[:3, 3]
        boxes_wxyz = poses.normalised(self._columns["rotation_wxyz"][kept])
        rotation_wxyz = poses.multiply(poses.conjugate(lidar_rotation_wxyz), boxes_wxyz)
        velocity_mps = (self._velocity_mps[kept] @ lidar_SE3_global[:3, :3].T)[:, :2]
        return self._make(frame, kept, center_m, rotation_wxyz, velocity_mps)

    def _make(
        self, frame: FrameRow, kept: Int64, center_m: Float64, rotation_wxyz: Float64, velocity_mps: Float64
    ) -> list[BoxRow]:
        names = [self._names[code] for code in self._columns["names"][kept]]
        instances = self._columns["instance_token"].take(pa.array(kept)).to_pylist()
        known = np.isfinite(velocity_mps).all(axis=1).tolist()
        counts = self._columns["num_lidar_points"][kept].tolist()
        size_lwh_m = self._columns["size_wlh_m"][kept][:, [1, 0, 2]]
        yaw_rad = poses.yaw_rad(rotation_wxyz).tolist()
        return [
            BoxRow(
                sequence=frame.sequence,
                index=frame.index,
                frame_id=frame.frame_id,
                class_name=names[row][0],
                center_m=center_m[row],
                size_lwh_m=size_lwh_m[row],
                yaw_rad=yaw_rad[row],
                instance_token=instances[row],
                annotation_token=self._tokens[place],
                rotation_wxyz=rotation_wxyz[row],
                velocity_mps=velocity_mps[row] if known[row] else None,
                visibility=names[row][1],
                attribute=names[row][2],
                num_lidar_points=None if counts[row] == UNKNOWN_COUNT else counts[row],
            )
            for row, place in enumerate(kept.tolist())
        ]

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
        """(A,) row of each box's `prev` or `next`, its own where it has none."""
        tokens: list[str] = as_list(self._columns[link], 0, len(self._tokens))
        rows = np.array([place.get(token, row) for row, token in enumerate(tokens)], dtype=np.int64)
        for row, token in enumerate(tokens):
            if token and token not in place:
                self._reject(
                    row, f"{link} {dangling('sample_annotation', token)}: the box is kept, its velocity goes without"
                )
        return rows

    def _reject(self, row: int, reason: str) -> None:
        text = f"sample_annotation {self._tokens[row]}: {reason}"
        self.rejected.append(RejectedRow(self._table_path, "ingest", text))
