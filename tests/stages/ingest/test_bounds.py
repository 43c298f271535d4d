"""Files that promise or hold far more than any frame: one clear line, soon, without the memory that they ask for."""

import io
import struct
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from support.ingest import jpeg_bytes, png_bytes, png_chunk

from paintpipe.pipeline.roots import LocalRoot
from paintpipe.schemas.errors import ConfigError, ImageError, InputFileError, PaintpipeError, PointsError
from paintpipe.stages.ingest import checks
from paintpipe.stages.ingest.custom_boxes import parse_boxes
from paintpipe.stages.ingest.custom_spec import parse_spec
from paintpipe.stages.ingest.images import decode_image, image_size
from paintpipe.stages.ingest.kitti_boxes import parse_objects
from paintpipe.stages.ingest.kitti_raw import parse_timestamps
from paintpipe.stages.ingest.kitti_text import MAX_LINES, parse_calibration, parse_column, parse_poses, parse_times_us
from paintpipe.stages.ingest.npy import decode_npy
from paintpipe.stages.ingest.oxts import parse_packet

MOST_S, MOST_BYTES = 5.0, 1_000_000_000
CSV = "frame,class,x,y,z,l,w,h,yaw\n"


@contextmanager
def bounded():
    """Fails where the block takes longer or leaves the process larger than any input may make it."""
    start, before = time.monotonic(), psutil.Process().memory_info().rss
    yield
    assert time.monotonic() - start < MOST_S
    assert psutil.Process().memory_info().rss - before < MOST_BYTES


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_poses, "1 0 0 0 0 1 0 0 0 0 1 0\n" * (MAX_LINES + 1)),
        (parse_column, "\n" * 20_000_000 + "1"),
        (parse_column, "1" * 60_000_000),
        (parse_column, "1 " * 2_000_000),
        (parse_timestamps, "2011-09-26 13:02:25.951199337\n" * (MAX_LINES + 1)),
        (parse_calibration, "P2: 1\n" * 1_000_000),
        (parse_packet, "9" * 30_000_000),
        (parse_objects, "Car 0 0 0 0 0 1 1 1 1 1 1 1 1 1\n" * 100_000),
        (parse_boxes, CSV + "0,car,0,0,0,1,1,1,0\n" * (MAX_LINES + 1)),
        (parse_boxes, CSV + "0,car,0,0,0,1,1,1," + "1" * 200_000),
        (parse_boxes, CSV.replace("frame,", "").strip() + ",frame\ncar,0,0,0,1,1,1,0\n"),
        (parse_boxes, 'frame,"' + "x" * 200_000),
    ],
)
def test_text_without_end(parse: Callable[[str, str], Any], text: str) -> None:
    with bounded(), pytest.raises(InputFileError, match="the/file") as raised:
        parse(text, "the/file")
    assert len(raised.value.line()) < 5_000


def test_of_a_packet_the_first_six_numbers_are_looked_at() -> None:
    with bounded():
        assert parse_packet("1 " * 10_000_000 + "x", "f").yaw_rad == 1.0


@pytest.mark.parametrize("line", ["1e13", "-1e300", "inf", "nan", "9" * 400])
def test_numbers_that_no_drive_has(line: str) -> None:
    pose = f"1 0 0 {line} 0 1 0 0 0 0 1 0"
    with pytest.raises(InputFileError, match="f: line 2: a number"):
        parse_poses(f"{pose.replace(line, '0')}\n{pose}", "f")
    with pytest.raises(InputFileError, match="f: P2: a number"):
        parse_calibration(f"P2: {pose}", "f").projection("P2")
    with pytest.raises(InputFileError, match="f: line 2: "):
        parse_boxes(f"{CSV}0,car,{line},0,0,1,1,1,0\n", "f")
    with pytest.raises(InputFileError, match="f: line 1: a number"):
        parse_objects(f"Car 0 {line} 0 0 0 1 1 1 1 1 1 1 1 1", "f")


def test_times_that_no_column_holds() -> None:
    assert parse_times_us("0\n1.5\n", "f", 1e6).tolist() == [0.0, 1.5e6]
    assert parse_times_us("1542800000000000000\n", "f", 1e-3).tolist() == [1542800000000000.0]
    with pytest.raises(InputFileError, match="f: line 2: no time of a drive"):
        parse_times_us("0\n5e12\n", "f", 1e6)


@pytest.mark.parametrize(
    "text",
    [
        "name = " + "1" * 5_000,
        "name = 0x" + "f" * 5_000,
        "name = " + "[" * 20_000,
        'name = "x"\n[points]\npattern = "{frame}.bin"\n[[cameras]]\nname = "a"\nK = [[1e300,0,0],[0,1,0],[0,0,1]]',
        'name = "x"\n[points]\npattern = "{frame}.bin"\n[[cameras]]\nname = "a"\nK = [[0x' + "f" * 400 + ",0,0]]",
        'name = "x"\n[points]\npattern = "{frame}.bin"\ncolumns = [0x' + "f" * 5_000 + "]",
    ],
)
def test_specifications_without_end(text: str) -> None:
    with bounded(), pytest.raises(ConfigError):
        parse_spec(text)


def image_header(side_px: int) -> bytes:
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    return png_bytes()[:8] + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")


def jpeg_of(side_px: int) -> bytes:
    data = bytearray(jpeg_bytes())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", side_px, side_px)
    return bytes(data)


@pytest.mark.parametrize("data", [image_header(60_000), image_header(2**31 - 1), jpeg_of(60_000)])
def test_images_of_gigapixels_are_refused_by_their_header(data: bytes) -> None:
    for read in (lambda: image_size(io.BytesIO(data), "a.png"), lambda: decode_image(data, "a.png")):
        with bounded(), pytest.raises(ImageError, match="expected at most 64 megapixels"):
            read()


def test_a_jpeg_of_thousands_of_scans_is_refused() -> None:
    """Each scan of a progressive JPEG passes over the whole image: 8,000 px square and 10,000 scans take minutes."""
    data = jpeg_bytes()
    scan = data.index(b"\xff\xda")
    many = data[:-2] + data[scan : scan + 14] * 1_000 + b"\xff\xd9"
    with bounded(), pytest.raises(ImageError, match="a JPEG of 1001 scans; expected at most 100"):
        decode_image(many, "a.jpg")
    assert decode_image(data, "a.jpg").shape == (20, 60, 3)


def npy_header(shape: str, dtype: str) -> bytes:
    text = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ("(1099511627776, 4)", "'<f4'"),
        ("(999999999999, 999999999999)", "'<f4'"),
        ("(10,)", "'|O'"),
        ("(10,)", "[('a', '|O')]"),
        ("(10,)", "'<f4'" + " " * 20_000),
    ],
)
def test_arrays_that_promise_more_than_there_is(shape: str, dtype: str) -> None:
    with bounded(), pytest.raises(InputFileError):
        decode_npy(npy_header(shape, dtype), "a.npy")


def test_a_sparse_sweep_of_terabytes(tmp_path: Path) -> None:
    with (tmp_path / "a.bin").open("wb") as file:
        file.truncate(1 << 40)
    with bounded(), pytest.raises(PointsError, match=r"a\.bin: a sweep of 68,719,476,736 points; expected at most"):
        checks.count_points(LocalRoot(tmp_path), "a.bin", 4)


def test_a_sparse_text_of_terabytes(tmp_path: Path) -> None:
    with (tmp_path / "calib.txt").open("wb") as file:
        file.truncate(1 << 40)
    with bounded(), pytest.raises(InputFileError, match=r"calib\.txt: larger than 64 MB"):
        checks.read_text(LocalRoot(tmp_path), "calib.txt")


@pytest.mark.parametrize(
    ("name", "told"),
    [("\x1b[2Jx", r"\x1b[2Jx"), ("a\u202eb", r"a\u202eb"), ("x\udcff", r"x\udcff"), ("<b>=1", "<b>=1")],
)
def test_names_that_would_move_the_cursor_are_told_escaped(name: str, told: str) -> None:
    assert PaintpipeError("absent", where=name).line() == f"{told}: absent"
    row = checks.rejected(name, InputFileError("absent", where=name))
    assert (row.path, row.reason) == (told, "absent")
    assert row.path.encode()


def test_a_message_is_no_longer_than_anybody_reads() -> None:
    error = InputFileError("x" * 10_000_000, where="the/file", expected=", ".join(map(str, range(100_000))))
    assert len(error.line()) < 4_000
    assert error.line().startswith("the/file: xxx")
    assert "99999" in error.line()


def test_npy_data_is_still_read() -> None:
    file = io.BytesIO()
    np.save(file, np.arange(6.0).reshape(2, 3))
    assert decode_npy(file.getvalue(), "a.npy").tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
