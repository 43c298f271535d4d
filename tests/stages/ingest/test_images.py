import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.ingest import jpeg_bytes, png_bytes, png_chunk, png_of

from paintpipe.schemas.errors import ImageError
from paintpipe.stages.ingest.images import decode_image, decode_label_map, image_size


@pytest.mark.parametrize("data", [png_bytes(61, 23), jpeg_bytes(61, 23)])
def test_size_comes_from_the_header_alone(data: bytes) -> None:
    assert image_size(io.BytesIO(data), "a") == (61, 23)
    header_only = data[:26] if data[1:4] == b"PNG" else data[: data.index(b"\xff\xda")]
    assert image_size(io.BytesIO(header_only), "a") == (61, 23)


def test_png_decodes_to_rgb_exactly() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    data = cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()
    assert np.array_equal(decode_image(data, "a.png"), rgb)


def test_jpeg_decodes_to_rgb() -> None:
    red = np.zeros((16, 16, 3), dtype=np.uint8)
    red[..., 2] = 255
    image = decode_image(cv2.imencode(".jpg", red)[1].tobytes(), "a.jpg")
    assert image[8, 8, 0] > 240
    assert image[8, 8, 2] < 15


def test_grey_alpha_and_16_bits_become_rgb() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    for pixels in (grey, np.dstack([grey, grey, grey, 255 - grey]), grey.astype(np.uint16) * 257):
        image = decode_image(cv2.imencode(".png", pixels)[1].tobytes(), "a.png")
        assert image.shape == (3, 4, 3)
        assert image.dtype == np.uint8
        assert np.array_equal(image, np.dstack([grey] * 3))


def test_an_orientation_tag_is_ignored() -> None:
    plain = jpeg_bytes(32, 16)
    exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:]
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape[:2] == (32, 16)
    assert np.array_equal(decode_image(turned, "a.jpg"), decode_image(plain, "a.jpg"))


@pytest.mark.parametrize("make", [png_bytes, jpeg_bytes])
def test_every_truncation_is_an_error(make, capfd: pytest.CaptureFixture[str]) -> None:
    data = make(40, 30)
    for cut in [*range(40), *range(40, len(data) - 2, 97), len(data) - 2, len(data) - 1]:
        with pytest.raises(ImageError, match=r"^a: "):
            decode_image(data[:cut], "a")
    assert capfd.readouterr().err == ""


def test_every_flipped_byte_of_a_png_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    data = png_bytes(8, 8)
    for at in range(len(data)):
        broken = data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]
        with pytest.raises(ImageError, match=r"^a: "):
            decode_image(broken, "a")
    assert capfd.readouterr().err == ""


def test_a_jpeg_whose_tail_is_zeros_is_an_error() -> None:
    data = jpeg_bytes(64, 64)
    with pytest.raises(ImageError, match="its end is missing"):
        decode_image(data[: len(data) // 2] + bytes(len(data) // 2), "a.jpg")


def test_bytes_behind_the_end_and_a_preview_inside_are_fine() -> None:
    data = jpeg_bytes()
    preview = jpeg_bytes(8, 8)
    with_preview = data[:2] + b"\xff\xe2" + (len(preview) + 2).to_bytes(2, "big") + preview + data[2:]
    assert np.array_equal(decode_image(with_preview + b"\0" * 100, "a"), decode_image(data, "a"))
    assert image_size(io.BytesIO(with_preview), "a") == (60, 20)
    cut = with_preview[: -len(data) // 3]
    with pytest.raises(ImageError, match="its end is missing"):
        decode_image(cut, "a")


def test_progressive_jpeg() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert image_size(io.BytesIO(data), "a") == (40, 24)
    assert decode_image(data, "a").shape == (24, 40, 3)


@pytest.mark.parametrize("data", [b"", b"GIF89a" + b"\0" * 50, b"\xff", b"\x89PN", b"{}", b"\0" * 100])
def test_what_is_no_image(data: bytes) -> None:
    for attempt in (lambda: image_size(io.BytesIO(data), "x/a.png"), lambda: decode_image(data, "x/a.png")):
        with pytest.raises(ImageError, match=r"^x/a\.png: "):
            attempt()


def test_a_bomb_is_refused_from_its_header() -> None:
    bomb = png_of(30000, 30000, 8, 2, b"\0" * 1000)
    tracemalloc.start()
    with pytest.raises(ImageError, match="30000x30000 px; expected at most 64 megapixels"):
        decode_image(bomb, "a.png")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 1_000_000
    jpeg = jpeg_bytes(8, 8)
    at = jpeg.index(b"\xff\xc0")
    with pytest.raises(ImageError, match="at most 64 megapixels"):
        decode_image(jpeg[: at + 5] + b"\xff\xff\xff\xff" + jpeg[at + 9 :], "a.jpg")


def test_limit_is_64_megapixels() -> None:
    assert image_size(io.BytesIO(png_of(8000, 8000, 8, 2, b"")), "a") == (8000, 8000)
    with pytest.raises(ImageError):
        image_size(io.BytesIO(png_of(8000, 8001, 8, 2, b"")), "a")
    with pytest.raises(ImageError, match="above zero"):
        image_size(io.BytesIO(png_of(0, 8, 8, 2, b"")), "a")


def test_label_map_grey_and_palette_keep_ids() -> None:
    ids = np.array([[0, 3, 255], [33, 7, 1]], dtype=np.uint8)
    assert np.array_equal(decode_label_map(cv2.imencode(".png", ids)[1].tobytes(), "a"), ids)
    rows = b"\0\x01\x02\x03" + b"\0\x0f\x00\x05"
    assert decode_label_map(png_of(3, 2, 8, 3, rows), "a").tolist() == [[1, 2, 3], [15, 0, 5]]
    assert decode_label_map(png_of(4, 1, 4, 3, b"\0\x12\x3f"), "a").tolist() == [[1, 2, 3, 15]]


@pytest.mark.parametrize(
    "data", [jpeg_bytes(), png_bytes(), png_of(4, 1, 4, 0, b"\0\x12\x34"), png_of(1, 1, 16, 0, b"\0\0\x07"), b""]
)
def test_label_map_refuses_what_cannot_hold_ids(data: bytes) -> None:
    with pytest.raises(ImageError, match=r"^a: "):
        decode_label_map(data, "a")


def test_truncated_label_map() -> None:
    for data in (png_of(3, 2, 8, 3, b"\0\x01\x02\x03\0\x0f\0\x05"), png_of(3, 1, 8, 0, b"\0\1\2\3")):
        with pytest.raises(ImageError, match="truncated"):
            decode_label_map(data[:-5], "a")


def _palette_png(rows: bytes, *, palette: bool = True, interlace: int = 0, pieces: int = 1, bits: int = 8) -> bytes:
    """3x2 px, its pixel data compressed already and in some chunks."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, bits, 3, 0, 0, interlace))
    step = -(-len(rows) // pieces)
    body = b"".join(png_chunk(b"IDAT", rows[at : at + step]) for at in range(0, len(rows), step))
    colours = png_chunk(b"PLTE", bytes(range(48))) if palette else b""
    return b"\x89PNG\r\n\x1a\n" + header + colours + body + png_chunk(b"IEND", b"")


ROWS = b"\0\x01\x02\x03\0\x0f\0\x05"


def test_palette_label_map_in_many_chunks_and_interlaced() -> None:
    whole = zlib.compress(ROWS)
    assert decode_label_map(_palette_png(whole, pieces=4), "a").tolist() == [[1, 2, 3], [15, 0, 5]]
    passes = b"\0\x01" + b"\0\x03" + b"\0\x02" + b"\0\x0f\0\x05"  # passes 1, 4, 6 and 7 of 3x2 px
    interlaced = _palette_png(zlib.compress(passes), interlace=1)
    assert decode_label_map(interlaced, "a").tolist() == [[1, 2, 3], [15, 0, 5]]
    with pytest.raises(ImageError, match=r"^a: corrupt PNG: 8 bytes of pixels; expected 10"):
        decode_label_map(_palette_png(zlib.compress(passes[:-2]), interlace=1), "a")


@pytest.mark.parametrize("kept", range(len(ROWS)))
def test_a_palette_label_map_that_lacks_rows_is_an_error(kept: int) -> None:
    with pytest.raises(ImageError, match=rf"^a: corrupt PNG: {kept} bytes of pixels; expected 8, as its header says"):
        decode_label_map(_palette_png(zlib.compress(ROWS[:kept])), "a")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_palette_png(zlib.compress(ROWS), palette=False), "palette is missing"),
        (_palette_png(b"\x78\x9c no deflate stream"), "corrupt PNG: "),
        (_palette_png(zlib.compress(ROWS)[:-6]), "corrupt PNG: "),
        (_palette_png(zlib.compress(ROWS * 2), bits=16), "palette and 16 bits"),
    ],
)
def test_a_palette_label_map_that_is_damaged_inside(data: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=rf"^a: .*{reason}"):
        decode_label_map(data, "a")


def test_a_label_map_inflates_no_further_than_its_header_says() -> None:
    bomb = _palette_png(zlib.compress(bytes(100_000_000), 9))
    tracemalloc.start()
    assert decode_label_map(bomb, "a").tolist() == [[0, 0, 0], [0, 0, 0]]
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 5_000_000


@pytest.mark.real
def test_real_images_decode_as_opencv_does(real_data: Path) -> None:
    paths = [
        *(real_data / "kitti/training/image_2").glob("*0.png"),
        *(real_data / "nuscenes/samples/CAM_FRONT").iterdir(),
    ]
    assert len(paths) == 2
    for path in paths:
        image = decode_image(path.read_bytes(), str(path))
        assert np.array_equal(image[..., ::-1], cv2.imread(str(path)))
        with path.open("rb") as stream:
            assert image_size(stream, str(path)) == image.shape[1::-1]
        assert image.shape == ((900, 1600, 3) if path.suffix == ".jpg" else (370, 1224, 3))
