"""Files made to do harm: each is refused with one of our errors, or read without harm."""

import json
import os
import pickle
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from support import ingest as small
from support import nuscenes_tables
from support.command import paintpipe
from support.faults import tiny
from support.faults.forks import in_child, parallel

from paintpipe.pipeline.roots import LocalRoot
from paintpipe.pipeline.store import check_name
from paintpipe.pipeline.tables import to_markdown, write_csv
from paintpipe.pipeline.zarr_store import ZarrStore
from paintpipe.schemas.errors import PaintpipeError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.ingest.custom import open_custom, write_spec
from paintpipe.stages.ingest.formats import decode_points
from paintpipe.stages.ingest.images import decode_image, decode_label_map
from paintpipe.stages.ingest.npy import decode_npy
from paintpipe.stages.ingest.reader import IngestOptions
from paintpipe.stages.paint.predictions import decode_predictions
from paintpipe.stages.taxonomies.load import load_taxonomy

MOST_BYTES = 1_000_000_000
MOST_S = 5.0
CONTENT = "what lies outside"
_REFUSED = "refused"
Case = Callable[[Path], str]
CASES: dict[str, Case] = {}


def all_cases(folder: Path) -> dict[str, Any]:
    """Every case in a child of its own, held below 1 GB and 5 s; the trap must not have snapped."""
    import torch  # noqa: F401 - before the forks

    import paintpipe.stages.segment.onnx
    import paintpipe.stages.segment.weights  # noqa: F401

    tiny.reference(folder)

    def one(name: str) -> list[str]:
        place = folder / "hostile" / name.replace(" ", "-")
        (place / "inside").mkdir(parents=True)
        (place / "secret").write_text(CONTENT)
        ended = in_child(_told, name, place, most_bytes=MOST_BYTES, timeout_s=60)
        faults = [] if ended.good and ended.value == "" else [ended.value or ended.last_words]
        faults += ["it ran code"] if (place / "trap").exists() else []
        faults += ["it wrote outside"] if (place / "secret").read_text() != CONTENT else []
        faults += [f"it took {ended.cpu_s:.1f} s"] if ended.cpu_s > MOST_S else []
        return [f"{name}: {fault}" for fault in faults]

    faults = [fault for found in parallel(one, list(CASES)) for fault in found]
    return {"tries": len(CASES), "faults": faults}


def _told(name: str, place: Path) -> str:
    """ "" where all went as it must."""
    try:
        said = CASES[name](place)
    except PaintpipeError as error:
        return "" if "\n" not in error.line() and CONTENT not in error.what else f"no clear line: {error.line()!r}"
    return said if said != _REFUSED else ""


def case(function: Case) -> Case:
    CASES[function.__name__.replace("_", " ")] = function
    return function


class _Trap:
    """Unpickled, it makes a folder."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.place / "trap"),)


def _load_weights(path: Path) -> str:
    from paintpipe.stages.segment.weights import load_state_dict

    load_state_dict(path)
    return f"{path.name} was loaded"


@case
def a_pickle_in_a_pth_of_the_old_kind(place: Path) -> str:
    (place / "w.pth").write_bytes(pickle.dumps({"weight": _Trap(place)}, protocol=2))
    return _load_weights(place / "w.pth")


@case
def a_pickle_in_a_pth_of_the_new_kind(place: Path) -> str:
    _zip(place / "w.pth", {"w/data.pkl": pickle.dumps({"weight": _Trap(place)}, protocol=2), "w/version": b"3\n"})
    return _load_weights(place / "w.pth")


@case
def a_pickle_named_safetensors(place: Path) -> str:
    (place / "w.safetensors").write_bytes(pickle.dumps(_Trap(place)))
    return _load_weights(place / "w.safetensors")


@case
def a_pickle_in_an_npz_given_as_weights(place: Path) -> str:
    np.savez(place / "w.npz", weight=np.array([_Trap(place)], dtype=object))
    return _load_weights(place / "w.npz")


@case
def a_pickle_in_an_npz_given_as_points(place: Path) -> str:
    np.savez(place / "points.npz", points=np.array([_Trap(place)], dtype=object))
    decode_points((place / "points.npz").read_bytes(), 4, "points.npz", "npy")
    return "an npz was taken for points"


@case
def a_pickle_in_an_npy_of_points(place: Path) -> str:
    np.save(place / "points.npy", np.array([[_Trap(place)] * 4], dtype=object))
    decode_points((place / "points.npy").read_bytes(), 4, "points.npy", "npy")
    return "objects were taken for points"


@case
def a_pickle_in_an_npy_of_predictions(place: Path) -> str:
    np.save(place / "p.npy", np.array([_Trap(place)] * 3, dtype=object))
    decode_predictions((place / "p.npy").read_bytes(), ".npy", 3, load_taxonomy("semantickitti19"), "p.npy")
    return "objects were taken for predictions"


def _program(place: Path, name: str) -> Path:
    members = {
        f"{name}/archive_format": b"pt2",
        f"{name}/data/weights/weight_0": b"",
        f"{name}/models/model.json": b"{}",
    }
    members |= {f"{name}/data/sample_inputs/model.pt": pickle.dumps(_Trap(place))}
    _zip(place / f"{name}.pt2", members)
    return place / f"{name}.pt2"


@case
def a_pickle_in_a_pt2_that_nobody_vouched_for(place: Path) -> str:
    from paintpipe.schemas.settings import SegmentSettings
    from paintpipe.stages.segment.segmenter import load_segmenter

    card = ModelCard(name="x", architecture="torch-export", taxonomy="x")
    load_segmenter(card, _program(place, "w"), 5, SegmentSettings(), "0" * 64)
    return "a program was loaded without trust"


@case
def a_pt2_named_pth(place: Path) -> str:
    return _load_weights(_program(place, "w").rename(place / "w.pth"))


@case
def a_torchscript_named_pth(place: Path) -> str:
    _zip(place / "w.pth", {"w/constants.pkl": pickle.dumps(_Trap(place)), "w/code/__torch__.py": b"import os"})
    return _load_weights(place / "w.pth")


@case
def a_checkpoint_that_inflates_to_gigabytes(place: Path) -> str:
    with zipfile.ZipFile(place / "w.pth", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("w/data.pkl", b"\x80\x02}q\0.")
        with archive.open("w/data/0", "w", force_zip64=True) as member:
            for _ in range(64):
                member.write(bytes(1 << 22))
    return _load_weights(place / "w.pth")


@case
def a_safetensors_header_of_2_to_the_62(place: Path) -> str:
    (place / "w.safetensors").write_bytes(struct.pack("<Q", 1 << 62) + b'{"a":' + b" " * 100)
    return _load_weights(place / "w.safetensors")


def _onnx(place: Path, location: str) -> str:
    from onnx import TensorProto, helper

    from paintpipe.stages.segment.network import LoadRequest
    from paintpipe.stages.segment.onnx import load_onnx

    weight = helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 1, 1], [0.1] * 12)
    weight.ClearField("float_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value=location)
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, c, 8, 8]) for n, c in (("x", 3), ("y", 4))]
    graph = helper.make_graph([helper.make_node("Conv", ["x", "w"], ["y"])], "g", ports[:1], ports[1:], [weight])
    (place / "inside" / "w.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    load_onnx(ModelCard(name="x", architecture="onnx", taxonomy="x"), place / "inside" / "w.onnx", LoadRequest(4))
    return "external data was read"


@case
def onnx_external_data_beside_it(place: Path) -> str:
    return _onnx(place, "secret")


@case
def onnx_external_data_above_it(place: Path) -> str:
    return _onnx(place, "../secret")


@case
def onnx_external_data_anywhere(place: Path) -> str:
    return _onnx(place, str(place / "secret"))


def _outside(place: Path, path: str) -> str:
    with LocalRoot(place / "inside").open_bytes(path) as file:
        return f"{path!r} gave {file.read()!r}"


@case
def a_path_that_climbs(place: Path) -> str:
    return _outside(place, "a/../../secret")


@case
def a_path_that_is_absolute(place: Path) -> str:
    return _outside(place, str(place / "secret"))


@case
def a_path_with_a_nul(place: Path) -> str:
    return _outside(place, "../secret\0.png")


@case
def a_path_with_backslashes(place: Path) -> str:
    return _outside(place, "..\\secret")


@case
def a_link_to_a_file_outside(place: Path) -> str:
    (place / "inside" / "link").symlink_to(place / "secret")
    return _outside(place, "link")


@case
def a_link_to_a_folder_outside(place: Path) -> str:
    (place / "inside" / "up").symlink_to(place)
    return _outside(place, "up/secret")


@case
def a_pipe_in_the_place_of_a_sweep(place: Path) -> str:
    os.mkfifo(place / "inside" / "sweep.bin")
    return _outside(place, "sweep.bin")


@case
def sensor_files_that_lie_outside(place: Path) -> str:
    root = place / "inside"
    tables = nuscenes_tables.write_dataset(root)
    record = nuscenes_tables.find(tables, "sample_data", "scene-0061-LIDAR_TOP-0")
    record["filename"] = "../secret"
    nuscenes_tables.write_tables(root, tables)
    reader = nuscenes_tables.open_small(root)
    rows = [row for name in reader.sequences() for row in reader.read(name, None).frames]
    return "a frame lies outside" if any("secret" in row.points_path for row in rows) else _REFUSED


@case
def a_scene_whose_name_climbs(place: Path) -> str:
    check_name("../../secret", "sequence")
    return "the name was taken"


@case
def a_specification_whose_pattern_climbs(place: Path) -> str:
    text = write_spec().replace('"{sequence}/lidar/{frame}.bin"', '"../{sequence}/{frame}.bin"')
    open_custom(text, LocalRoot(place / "inside"), IngestOptions())
    return "the pattern was taken"


@case
def a_png_of_four_billion_pixels(place: Path) -> str:
    decode_image(small.png_of(65_535, 65_535, 8, 2, b"\0" * 1000), "x.png")
    return "it was decoded"


@case
def a_png_whose_pixels_inflate_without_end(place: Path) -> str:
    squeeze = zlib.compressobj(1)
    pixels = b"".join(squeeze.compress(bytes(1 << 22)) for _ in range(64)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", 8, 8, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", bytes(768)), (b"IDAT", pixels), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(small.png_chunk(kind, body) for kind, body in chunks)
    for decode in (decode_image, decode_label_map):
        try:
            decode(data, "x.png")
        except PaintpipeError:
            continue
    return _REFUSED


@case
def a_jpeg_of_four_billion_pixels(place: Path) -> str:
    data = bytearray(small.jpeg_bytes(16, 16))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    decode_image(bytes(data), "x.jpg")
    return "it was decoded"


@case
def an_npy_of_2_to_the_40_numbers(place: Path) -> str:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 4), }".ljust(117) + b"\n"
    decode_npy(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header, "x.npy")
    return "it was decoded"


def _ingest_tables(place: Path, table: str, content: str) -> str:
    root = place / "inside"
    nuscenes_tables.write_dataset(root)
    (root / nuscenes_tables.VERSION / f"{table}.json").write_text(content)
    done = paintpipe("ingest", "nuscenes", root, "-w", place / "workspace", "-q")
    lines = done.err.splitlines()
    return _REFUSED if done.code == 2 and len(lines) == 1 and "Traceback" not in done.err else f"ingest ended as {done}"


@case
def json_nested_without_end(place: Path) -> str:
    return _ingest_tables(place, "sample_data", "[" * 5_000_000)


@case
def json_numbers_without_end(place: Path) -> str:
    return _ingest_tables(place, "ego_pose", '[{"token": "a", "timestamp": ' + "9" * 5_000_000 + "}]")


@case
def a_chunk_of_2_to_the_40(place: Path) -> str:
    store = place.parents[1] / "reference" / "painted.zarr"
    copy = place / "painted.zarr"
    shutil.copytree(store, copy)
    node = copy / "08" / "points" / "zarr.json"
    values = json.loads(node.read_bytes())
    values["shape"][1] = values["chunk_grid"]["configuration"]["chunk_shape"][1] = 1 << 40
    values["codecs"][0]["configuration"]["chunk_shape"][1] = 1 << 40
    node.write_text(json.dumps(values))
    ZarrStore(copy, 1).read_frame("points", "08", 0)
    return "it was read"


NASTY = ("<script>alert(1)</script>", "=cmd|' /C calc'!A0", "a|b\n| c", "\x1b[31mred")


@case
def names_in_a_csv_and_a_markdown_table(place: Path) -> str:
    import pyarrow as pa

    table = pa.table({"=head": list(NASTY), "n": [-1.5, 2.0, 3.0, 4.0]})
    write_csv(place / "t.csv", table)
    cells = [line.partition(",")[0] for line in (place / "t.csv").read_text().splitlines()]
    rows = to_markdown(table).strip().splitlines()
    formulas = [cell for cell in cells if cell.lstrip('"').startswith(("=", "+", "@"))]
    torn = [row for row in rows if row.replace("\\|", "").count("|") != 3]
    return f"formulas {formulas}, torn rows {torn}" if formulas or torn or len(rows) != 6 else _REFUSED


@case
def names_in_a_page(place: Path) -> str:
    from paintpipe.stages.view.page import Code, Heading, Table, Text, html_page

    text = NASTY[0]
    page = html_page(text, [Heading(text), Text(text), Table([text], [[text]], text), Code(text)], text)
    return "a script is in the page" if "<script" in page else _REFUSED


@case
def names_of_frames_on_the_terminal(place: Path) -> str:
    """A file whose name would colour the terminal or look like another line."""
    folder = small.write_custom(place / "inside")
    bad = folder / "a" / "lidar" / "\x1b[31m\nok.bin"
    bad.write_bytes(b"123")
    spec = place / "spec.toml"
    spec.write_text(write_spec().replace('root = "."', 'root = "inside"'))
    done = paintpipe("ingest", "custom", spec, "-w", place / "workspace", "-q")
    return "an escape reached the terminal" if "\x1b" in done.out + done.err else _REFUSED


def _zip(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
