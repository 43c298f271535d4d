"""Where CenterPoint looks for its files, below the folder that is linked as `data/nuScenes`."""

from dataclasses import dataclass
from typing import Literal

from paintpipe.stages.export.ten_scores import beside

Form = Literal["painted", "virtual"]
FORMS: tuple[Form, ...] = ("painted", "virtual")
ROOT = "data/nuScenes/"
"""Infos name files relative to CenterPoint's folder: its loader takes a leading slash off (`os.path.join(*parts)`)."""


def painted_path(points_path: str) -> str:
    """`samples/painted_LIDAR_TOP/NAME.npy` (det3d/datasets/pipelines/loading.py, `read_file(painted=True)`)."""
    return beside(points_path, "", "painted_{}", ".npy")


def virtual_path(points_path: str) -> str:
    """`samples/LIDAR_TOP_VIRTUAL/NAME.pkl.npy` (the same, `read_file(virtual=True)`; MVP `virtual_gen.py`)."""
    return beside(points_path, "", "{}_VIRTUAL", ".pkl.npy")


@dataclass(frozen=True)
class Layout:
    """The files over all frames, named for the number of sweeps with the keyframe's own (10 as published).

    Sources: `create_nuscenes_infos` (det3d/datasets/nuscenes/nusc_common.py) and `create_groundtruth_database`
    (det3d/datasets/utils/create_gt_database.py); only the database of the painted form is named by analogy.
    """

    num_sweeps: int

    def infos(self, split: str) -> str:
        """The pickle of a split; that of the test set has no boxes, none of which could be filtered."""
        ending = "" if split == "test" else "_filter_True"
        return f"infos_{split}_{self.num_sweeps:02d}sweeps_withvelo{ending}.pkl"

    def db_infos(self, form: Form) -> str:
        """The pickle that lists the database."""
        return f"dbinfos_train_{self.num_sweeps}sweeps_withvelo_{form}.pkl"

    def sample(self, form: Form, frame: str, name: str, number: int) -> str:
        """A file of the database."""
        return f"gt_database_{self.num_sweeps}sweeps_withvelo_{form}/{name}/{frame}_{name}_{number}.bin"
