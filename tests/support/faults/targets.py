"""Every reader and parser of files from outside, each with valid files to begin from."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from support import ingest as small
from support import nuscenes_tables
from support.command import succeed
from support.faults import storage
from support.faults.memory_root import MemoryRoot

from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.catalog import BOXES, FRAMES, IMAGES, REJECTED, rows_to_table
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.ingest.custom import open_custom, write_spec
from paintpipe.stages.ingest.formats import decode_labels, decode_points
from paintpipe.stages.ingest.images import decode_image, decode_label_map
from paintpipe.stages.ingest.npy import decode_npy
from paintpipe.stages.ingest.reader import IngestOptions, Reader, open_dataset
from paintpipe.stages.paint.masks import decode_mask
from paintpipe.stages.paint.predictions import decode_predictions
from paintpipe.stages.taxonomies.load import load_taxonomy
from paintpipe.workflows.catalog import open_catalog

TABLES = {"frames": FRAMES, "images": IMAGES, "boxes": BOXES, "rejected": REJECTED}


@dataclass(frozen=True)
class Target:
    """One way in.

    Attributes:
        name: of the target.
        seeds: valid files, made in a folder.
        parse: what reads such a file; takes its bytes and a folder to put them in.
        imports: modules to be imported before processes are forked.
        limited: whether its address space can be limited (libraries that reserve much of it can't be).
        share: of the tries that others get, for slow targets of which there are many of a kind.
    """

    name: str
    seeds: Callable[[Path], list[bytes]]
    parse: Callable[[bytes, Path], object]
    imports: tuple[str, ...] = ()
    limited: bool = True
    share: float = 1.0


def _dataset(
    name: str, write: Callable[[Path], Any], path: str, share: float = 1.0, imports: tuple[str, ...] = ()
) -> Target:
    """One file of a dataset that is otherwise sound, read as `ingest` does."""
    files: dict[str, bytes] = {}

    def seeds(place: Path) -> list[bytes]:
        return [_read_all(place, write)[path]]

    def parse(data: bytes, place: Path) -> None:
        if not files:
            files.update(_read_all(place, write))
        _ingest(open_dataset(name, MemoryRoot({**files, path: data}), IngestOptions(sweeps=True)))

    return Target(f"{name}:{path.removeprefix('training/').replace('/', '-')}", seeds, parse, imports, share=share)


def _read_all(place: Path, write: Callable[[Path], Any]) -> dict[str, bytes]:
    root = place / "dataset-files"
    if not root.exists():
        write(root)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _ingest(reader: Reader) -> None:
    for sequence in reader.sequences():
        rows = reader.read(sequence, None)
        for table, schema in TABLES.items():
            rows_to_table(getattr(rows, table), schema)
    rows_to_table(reader.rejected, REJECTED)


def _nuscenes(root: Path) -> None:
    nuscenes_tables.write_dataset(root, nuscenes_tables.make_tables(samples=1))


def _raw_with_poses(root: Path) -> None:
    drive = small.write_kitti_raw(root, frames=2)
    for index in range(2):
        small.write(drive / "oxts" / "data" / f"{index:010d}.txt", small.oxts_line(49.0, 8.4, 110.0, 0.01, 0.02, 0.3))


_RAW = "2011_09_26/2011_09_26_drive_0001_sync"
_DATASETS = (
    *(
        _dataset("kitti", partial(small.write_kitti, frames=1), f"training/{path}")
        for path in ("calib/000000.txt", "label_2/000000.txt", "velodyne/000000.bin", "image_2/000000.png")
    ),
    *(
        _dataset("semantickitti", partial(small.write_semantickitti, frames=2), f"dataset/sequences/00/{path}")
        for path in ("calib.txt", "poses.txt", "times.txt", "labels/000000.label")
    ),
    *(
        _dataset("kitti-raw", _raw_with_poses, path)
        for path in (
            "2011_09_26/calib_cam_to_cam.txt",
            "2011_09_26/calib_velo_to_cam.txt",
            "2011_09_26/calib_imu_to_velo.txt",
            f"{_RAW}/velodyne_points/timestamps.txt",
            f"{_RAW}/oxts/data/0000000000.txt",
        )
    ),
    *(
        _dataset("nuscenes", _nuscenes, f"v1.0-mini/{table}.json", 0.3, ("nuscenes.utils.splits",))
        for table in (
            "scene",
            "sample",
            "sample_data",
            "ego_pose",
            "calibrated_sensor",
            "sensor",
            "sample_annotation",
            "instance",
            "category",
            "attribute",
            "visibility",
        )
    ),
)


_SPEC = write_spec().replace("# [", "[").replace("\n# pattern", "\npattern").replace("\n# format", "\nformat")
_SPEC = _SPEC.replace("\n# taxonomy", "\ntaxonomy").replace("\n# unit", "\nunit")


def _custom_files(root: Path) -> None:
    small.write_custom(root, frames=2)


def _custom(path: str) -> Target:
    def seeds(place: Path) -> list[bytes]:
        return [_SPEC.encode() if path == "spec.toml" else _read_all(place, _custom_files)[path]]

    def parse(data: bytes, place: Path) -> None:
        files = _read_all(place, _custom_files)
        spec = _SPEC
        if path == "spec.toml":
            spec = data.decode("utf-8", errors="replace")
        else:
            files[path] = data
        _ingest(open_custom(spec, MemoryRoot(files), IngestOptions()))

    return Target(f"custom:{path.rpartition('/')[2]}", seeds, parse)


def _npy(*arrays: Any) -> list[bytes]:
    found = []
    for array in arrays:
        stream = io.BytesIO()
        np.save(stream, array)
        found.append(stream.getvalue())
    return found


def _grey_png() -> bytes:
    return small.png_of(6, 4, 8, 0, b"".join(b"\0" + bytes(range(row, row + 6)) for row in range(4)))


def _palette_png() -> bytes:
    return small.png_of(6, 4, 4, 3, b"".join(b"\0" + bytes((0x01, 0x23, 0x45)) for _ in range(4)))


_TAXONOMY = "semantickitti19"
_POINTS = np.arange(40, dtype=np.float32).reshape(10, 4)
_SCORES = np.full((10, 19), 1 / 19, dtype=np.float32)
_MASK_SCORES = np.full((19, 2, 3), 1 / 19, dtype=np.float32)
_ARRAYS = _npy(_POINTS, _POINTS.astype(">f8"), np.asfortranarray(_POINTS), np.arange(10), _SCORES, _MASK_SCORES)


def _decoder(name: str, seeds: list[bytes], decode: Callable[[bytes], object]) -> Target:
    return Target(name, lambda _: seeds, lambda data, _: decode(data))


_DECODERS = (
    _decoder(
        "png", [small.png_bytes(30, 20), small.png_bytes(7, 3), _palette_png()], lambda data: decode_image(data, "x")
    ),
    _decoder("jpeg", [small.jpeg_bytes(30, 20), small.jpeg_bytes(64, 48, 50)], lambda data: decode_image(data, "x")),
    _decoder("label-map", [_grey_png(), _palette_png()], lambda data: decode_label_map(data, "x")),
    _decoder("npy", _ARRAYS, lambda data: decode_npy(data, "x")),
    _decoder("points-npy", _ARRAYS[:3], lambda data: decode_points(data, 4, "x", "npy")),
    _decoder("points-float32", [_POINTS.tobytes()], lambda data: decode_points(data, 4, "x")),
    _decoder("labels-npy", _ARRAYS[3:4], lambda data: decode_labels(data, "npy", 10, "x")),
    *(
        _decoder(
            f"predictions{suffix}",
            seeds,
            lambda data, suffix=suffix: decode_predictions(data, suffix, 10, load_taxonomy(_TAXONOMY), "x"),
        )
        for suffix, seeds in (
            (".label", [np.full(10, 40, dtype="<u4").tobytes()]),
            (".bin", [bytes(range(10))]),
            (".npy", _ARRAYS[3:5]),
        )
    ),
    _decoder("mask.png", [_grey_png(), _palette_png()], lambda data: decode_mask(data, ".png", 6, 4, 19, "x")),
    _decoder("mask.npy", _ARRAYS[3:], lambda data: decode_mask(data, ".npy", 6, 4, 19, "x")),
)


def _file(
    name: str, suffix: str, seeds: Callable[[Path], list[bytes]], read: Callable[[Path], object], **more: Any
) -> Target:
    def parse(data: bytes, place: Path) -> None:
        path = place / f"mutated{suffix}"
        path.write_bytes(data)
        read(path)

    return Target(name, seeds, parse, **more)


def _card(path: Path) -> None:
    from paintpipe.stages.segment.card import load_card

    load_card(path)


def _card_seeds(_: Path) -> list[bytes]:
    from paintpipe.stages.segment.card import card_to_toml
    from paintpipe.stages.segment.registry import list_models

    return [card_to_toml(card).encode() for card in list_models()[:3]]


def _json_card_seeds(_: Path) -> list[bytes]:
    from paintpipe.stages.segment.registry import list_models

    cards = [{key: value for key, value in vars(card).items() if value is not None} for card in list_models()[:2]]
    return [json.dumps(card).encode() for card in cards]


def _state(path: Path) -> None:
    from paintpipe.stages.segment.weights import load_state_dict

    for tensor in load_state_dict(path).values():
        tensor.sum()


def _state_seeds(place: Path, kind: str) -> list[bytes]:
    import torch
    from safetensors.torch import save

    tensors = {"a.weight": torch.arange(12.0).reshape(3, 4), "b": torch.ones(5, dtype=torch.float16)}
    if kind == "safetensors":
        return [save(tensors)]
    found = []
    for content in (tensors, {"state_dict": tensors, "epoch": 3}):
        torch.save(content, place / "seed.pth", _use_new_zipfile_serialization=kind == "zip")
        found.append((place / "seed.pth").read_bytes())
    return found


def _onnx_seeds(_: Path) -> list[bytes]:
    from onnx import TensorProto, helper

    weight = helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 1, 1], [0.1] * 12)
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size, 8, 8]) for name, size in (("x", 3), ("y", 4))
    ]
    graph = helper.make_graph([node], "g", ports[:1], ports[1:], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return [model.SerializeToString()]


def _onnx(path: Path) -> None:
    from paintpipe.schemas.settings import SegmentSettings
    from paintpipe.stages.segment.segmenter import load_segmenter

    card = ModelCard(name="x", architecture="onnx", taxonomy="x")
    load_segmenter(card, path, 4, SegmentSettings(backend="onnxruntime", threads=1))


_MODELS = (
    _file("card.toml", ".toml", _card_seeds, _card, imports=("paintpipe.stages.segment.registry",)),
    _file("card.json", ".json", _json_card_seeds, _card),
    *(
        _file(f"state-{kind}", suffix, partial(_state_seeds, kind=kind), _state, imports=("torch", "safetensors.torch"))
        for kind, suffix in (("safetensors", ".safetensors"), ("zip", ".pth"), ("legacy", ".pth"))
    ),
    _file(
        "onnx",
        ".onnx",
        _onnx_seeds,
        _onnx,
        imports=("onnx", "onnxruntime", "paintpipe.stages.segment.segmenter"),
        limited=False,
    ),
)


def _stored(kind: str, path: str) -> Target:
    """One file of a painted store or its ledger, read and verified as a whole."""

    def seeds(place: Path) -> list[bytes]:
        storage.run(place / "store", kind)
        return [(place / "store" / path).read_bytes()]

    def parse(data: bytes, place: Path) -> None:
        (place / "store" / path).write_bytes(data)
        storage.read_all(place / "store", kind)

    name = path.removeprefix("painted.").replace("/", "-")
    return Target(name, seeds, parse, share=0.2)


_STORES = (
    *(
        _stored("zarr", path)
        for path in (
            "painted.zarr/zarr.json",
            "painted.zarr/00/num_points/zarr.json",
            "painted.zarr/00/num_points/c/0",
            "painted.zarr/00/frame_id/c/0",
            "painted.zarr/00/points/zarr.json",
            "painted.zarr/00/points/c/0/0/0",
            "painted.zarr/00/layers/net/zarr.json",
            "painted.zarr/00/layers/net/label/zarr.json",
            "painted.zarr/00/layers/net/class/c/0",
            "ledger/points/00/00000.json",
        )
    ),
    *(
        _stored("parquet", path)
        for path in (
            "painted.parquet/meta/frames/00.json",
            "painted.parquet/meta/layers/net/00.json",
            "painted.parquet/points/sequence=00/shard-00000.parquet",
        )
    ),
)


def _workspace(path: str) -> Target:
    """One file of a workspace that was ingested, opened as every command does."""

    def seeds(place: Path) -> list[bytes]:
        small.write_kitti(place / "data", frames=2)
        succeed("ingest", "kitti", place / "data", "-w", place / "workspace", "-q")
        return [(place / "workspace" / path).read_bytes()]

    def parse(data: bytes, place: Path) -> None:
        (place / "workspace" / path).write_bytes(data)
        workspace = Workspace(place / "workspace")
        workspace.read_config()
        catalog = open_catalog(workspace.catalog)
        for sequence, count in catalog.frame_counts().items():
            catalog.rows_digest(sequence, 0, count)
            for rows in (catalog.frames, catalog.images, catalog.boxes):
                rows(sequence, 0, count)

    return Target(f"workspace:{path.rpartition('/')[2]}", seeds, parse, share=0.5)


_WORKSPACES = tuple(
    _workspace(path)
    for path in (
        "paintpipe.toml",
        "catalog/dataset.json",
        *(f"catalog/{name}.parquet" for name in ("frames", "images", "boxes", "rejected")),
    )
)

TARGETS = {
    target.name: target
    for target in (
        *_DATASETS,
        *(_custom(path) for path in ("spec.toml", "a/boxes.csv", "a/poses.txt", "a/times.txt")),
        *_DECODERS,
        *_MODELS,
        *_STORES,
        *_WORKSPACES,
    )
}
