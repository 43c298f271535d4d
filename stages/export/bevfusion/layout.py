"""Where BEVFusion looks for its files, below the folder that is linked as `data/nuscenes`."""

from paintpipe.stages.export.ten_scores import beside

ROOT = "data/nuscenes/"
"""Infos name files relative to BEVFusion's folder: its loader takes a leading slash off (`os.path.join(*parts)`)."""
DB_INFOS = "nuscenes_dbinfos_train.pkl"
_DATABASE = "nuscenes_gt_database/"


def painted_path(points_path: str) -> str:
    """`virtual_points/samples/LIDAR_TOP_VIRTUAL/NAME.pkl.npy`.

    Source: mmdet3d/datasets/pipelines/loading_utils.py, `load_augmented_point_cloud` (with all 32 beams).
    """
    return beside(points_path, "virtual_points/", "{}_VIRTUAL", ".pkl.npy")


def infos_path(split: str) -> str:
    """The pickle of a split (tools/data_converter/nuscenes_converter.py, `create_nuscenes_infos`)."""
    return f"nuscenes_infos_{split}.pkl"


def sample_path(frame: str, name: str, number: int) -> str:
    """A file of the database (tools/data_converter/create_gt_database.py, `create_groundtruth_database`)."""
    return f"{_DATABASE}{frame}_{name}_{number}.bin"
