"""The specification of a custom dataset: a TOML file that says where its files lie and what is in them."""

import tomllib
from dataclasses import dataclass
from typing import Any

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.errors import CalibrationError, ConfigError
from paintpipe.schemas.geometry import se3
from paintpipe.stages.ingest.cameras import CameraGeometry, pinhole_camera
from paintpipe.stages.ingest.custom_pattern import Pattern, parse_pattern
from paintpipe.stages.ingest.custom_table import Table, shown
from paintpipe.stages.ingest.formats import LABELS_FORMATS, POINTS_FORMATS
from paintpipe.stages.ingest.kitti_text import check_intrinsics, check_last_row, check_rotation
from paintpipe.stages.taxonomies.load import load_taxonomy, taxonomy_names

POSES_FORMATS = ("kitti", "npy")
US_PER_UNIT = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}


@dataclass(frozen=True)
class CustomCamera:
    """One camera: its name, where its images lie, and its matrices."""

    name: str
    image: Pattern
    geometry: CameraGeometry


@dataclass(frozen=True)
class CustomFiles:
    """Files of one kind: where they lie, their format, and the taxonomy of what they hold (None for poses and times).

    For times, `format` is the unit.
    """

    pattern: Pattern
    format: str
    taxonomy: str | None = None


@dataclass(frozen=True)
class CustomSpec:
    """A whole specification; see `write_spec` for what each part means."""

    name: str
    root: str
    points: CustomFiles
    columns: tuple[str, ...]
    cameras: tuple[CustomCamera, ...]
    labels: CustomFiles | None
    poses: CustomFiles | None
    boxes: CustomFiles | None
    timestamps: CustomFiles | None


def parse_spec(text: str) -> CustomSpec:
    """A specification from its text.

    Raises:
        ConfigError: it is no TOML, or a key is unknown, missing or wrong; the message names the key.
    """
    top = _load(text)
    points = _needed_table(top, "points")
    columns = _columns(points)
    per_frame = CustomFiles(_frame_pattern(points, "pattern"), points.take_one_of("format", POINTS_FORMATS))
    points.finish()
    per_sequence = per_frame.pattern.names - {"frame"}
    spec = CustomSpec(
        name=top.take("name", str),
        root=top.take("root", str, "."),
        points=per_frame,
        columns=columns,
        cameras=_cameras(top.take("cameras", list, []), per_sequence),
        labels=_labels(top.take_table("labels"), per_sequence),
        poses=_per_sequence(top.take_table("poses"), per_sequence, "format", POSES_FORMATS),
        boxes=_boxes(top.take_table("boxes"), per_sequence),
        timestamps=_per_sequence(top.take_table("timestamps"), per_sequence, "unit", tuple(US_PER_UNIT)),
    )
    top.finish()
    return spec


def spec_root(text: str) -> str:
    """The folder that a specification's paths are relative to, itself relative to the specification's file.

    Raises:
        ConfigError: the text is no TOML, or `root` is no text.
    """
    return _load(text).take("root", str, ".")


def _load(text: str) -> Table:
    try:
        return Table(tomllib.loads(text))
    except (ValueError, RecursionError) as error:  # a whole number of 5,000 digits is a ValueError of its own
        raise ConfigError(f"not a TOML file: {error}", where="specification") from None


def _needed_table(top: Table, name: str) -> Table:
    table = top.take_table(name)
    if table is None:
        raise ConfigError("missing", where=name, expected=f"a table [{name}]")
    return table


def _frame_pattern(table: Table, name: str, per_sequence: set[str] | None = None) -> Pattern:
    """A pattern with one file a frame; `{sequence}` belongs in it if it is in the points' one."""
    needed = {"frame", *(per_sequence or ())}
    allowed = {"frame", "sequence"} if per_sequence is None else needed
    return parse_pattern(table.take(name, str), table.key(name), needed, allowed)


def _columns(points: Table) -> tuple[str, ...]:
    columns = points.take("columns", list, ["x", "y", "z", "intensity"])
    names = tuple(name for name in columns if isinstance(name, str))
    if names[:3] != ("x", "y", "z") or len(set(names)) != len(columns):
        expected = "distinct names that begin with x, y, z (metres)"
        raise ConfigError(f"{shown(columns)} is no good", where=points.key("columns"), expected=expected)
    return names


def _cameras(entries: list[Any], per_sequence: set[str]) -> tuple[CustomCamera, ...]:
    cameras: dict[str, CustomCamera] = {}
    for at, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise ConfigError(f"{shown(entry)} is no good", where=f"cameras[{at}]", expected="a table, [[cameras]]")
        camera = _camera(entry, at, per_sequence)
        if camera.name in cameras:
            raise ConfigError(f"two cameras are called {camera.name}", where="cameras", expected="distinct names")
        cameras[camera.name] = camera
    return tuple(cameras.values())


def _camera(entry: dict[str, Any], at: int, per_sequence: set[str]) -> CustomCamera:
    table = Table(entry, f"cameras[{at}]")
    name = table.take("name", str)
    table.where = f"cameras.{name}"
    if "distortion" in entry:
        todo = "undistort the images first (OpenCV's undistort), and give the K of the undistorted images"
        raise ConfigError("lens distortion is not supported", where=table.key("distortion"), todo=todo)
    K, camera_SE3_lidar = table.take_matrix("K", (3, 3)), table.take_matrix("camera_SE3_lidar", (4, 4), (3, 4))
    try:
        check_intrinsics(K, table.key("K"))
        check_rotation(camera_SE3_lidar[:3, :3], table.key("camera_SE3_lidar"))
        check_last_row(K, table.key("K"))
        check_last_row(camera_SE3_lidar, table.key("camera_SE3_lidar"))
    except CalibrationError as error:
        raise ConfigError(error.what, where=error.where, expected=error.expected) from None
    camera = CustomCamera(name, _frame_pattern(table, "image", per_sequence), _geometry(K, camera_SE3_lidar))
    table.finish()
    return camera


def _geometry(K: Float64, camera_SE3_lidar: Float64) -> CameraGeometry:
    return pinhole_camera(K, se3(camera_SE3_lidar[:3, :3], camera_SE3_lidar[:3, 3]))


def _labels(table: Table | None, per_sequence: set[str]) -> CustomFiles | None:
    if table is None:
        return None
    pattern = _frame_pattern(table, "pattern", per_sequence)
    files = CustomFiles(pattern, table.take_one_of("format", LABELS_FORMATS), _labels_taxonomy(table))
    table.finish()
    return files


def _taxonomy(table: Table) -> str:
    name = table.take("taxonomy", str)
    if name not in taxonomy_names():
        expected = "one of " + ", ".join(taxonomy_names())
        raise ConfigError(f"unknown taxonomy {name!r}", where=table.key("taxonomy"), expected=expected)
    return name


def _labels_taxonomy(table: Table) -> str:
    """The name of a taxonomy that says which number in a label file is which class."""
    name = _taxonomy(table)
    if not load_taxonomy(name).raw_ids:
        expected = "one of " + ", ".join(other for other in taxonomy_names() if load_taxonomy(other).raw_ids)
        what = f"{name} has no ids of label files"
        raise ConfigError(what, where=table.key("taxonomy"), expected=expected)
    return name


def _boxes(table: Table | None, per_sequence: set[str]) -> CustomFiles | None:
    if table is None:
        return None
    pattern = parse_pattern(table.take("pattern", str), table.key("pattern"), per_sequence, per_sequence)
    files = CustomFiles(pattern, "csv", _taxonomy(table))
    table.finish()
    return files


def _per_sequence(
    table: Table | None, per_sequence: set[str], option: str, allowed: tuple[str, ...]
) -> CustomFiles | None:
    if table is None:
        return None
    pattern = parse_pattern(table.take("pattern", str), table.key("pattern"), per_sequence, per_sequence)
    files = CustomFiles(pattern, table.take_one_of(option, allowed))
    table.finish()
    return files
