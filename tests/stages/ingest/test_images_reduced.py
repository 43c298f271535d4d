"""JPEGs decoded at a fraction of their size: which fraction, and that pixels stay where they were."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from support.ingest import jpeg_bytes, png_bytes

from paintpipe.schemas.errors import ImageError
from paintpipe.stages.ingest.images import decode_image


@pytest.mark.parametrize(
    ("size_px", "at_least_px", "found_px"),
    [
        ((900, 1600), (448, 800), (450, 800)),
        ((900, 1600), (451, 800), (900, 1600)),
        ((900, 1600), (224, 384), (225, 400)),
        ((900, 1600), (10, 10), (225, 400)),  # an eighth of 900 is no whole number
        ((64, 96), (8, 12), (8, 12)),
        ((64, 96), (64, 12), (64, 96)),
        ((62, 96), (8, 12), (31, 48)),
        ((63, 96), (8, 12), (63, 96)),
        ((64, 96), None, (64, 96)),
    ],
)
def test_the_smallest_that_is_enough(size_px, at_least_px, found_px) -> None:
    assert decode_image(jpeg_bytes(size_px[1], size_px[0]), "a.jpg", at_least_px).shape == (*found_px, 3)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_each_pixel_is_the_mean_of_the_area_it_covers(factor: int) -> None:
    rng = np.random.default_rng(factor)
    smooth = cv2.resize(rng.integers(0, 256, (9, 15, 3), dtype=np.uint8), (480, 288), interpolation=cv2.INTER_CUBIC)
    data = cv2.imencode(".jpg", smooth, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    found = decode_image(data, "a.jpg", (288 // factor, 480 // factor)).astype(np.float64)
    full = decode_image(data, "a.jpg").astype(np.float64)
    areas = full.reshape(288 // factor, factor, 480 // factor, factor, 3).mean(axis=(1, 3))
    assert np.abs(found - areas).mean() < 1.0
    shifted = np.abs(found[:, 1:] - areas[:, :-1]).mean()
    assert shifted > 2.0  # one pixel aside is seen


def test_colour_order_and_orientation_are_as_at_full_size() -> None:
    red = np.zeros((32, 64, 3), np.uint8)
    red[..., 2] = 255
    plain = cv2.imencode(".jpg", red)[1].tobytes()
    exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:]
    image = decode_image(turned, "a.jpg", (16, 32))
    assert image.shape == (16, 32, 3)
    assert image[8, 8, 0] > 240
    assert image[8, 8, 2] < 15


def test_a_png_stays_whole() -> None:
    assert decode_image(png_bytes(64, 32), "a.png", (1, 1)).shape == (32, 64, 3)


def test_damage_is_seen_at_any_scale() -> None:
    data = jpeg_bytes(64, 32)
    with pytest.raises(ImageError, match="truncated"):
        decode_image(data[: len(data) // 2], "a.jpg", (1, 1))


@pytest.mark.real
def test_real_jpegs_shrink_to_means(real_data: Path) -> None:
    data = next((real_data / "nuscenes/samples/CAM_FRONT").iterdir()).read_bytes()
    full = decode_image(data, "a.jpg").astype(np.float64)
    half = decode_image(data, "a.jpg", (448, 800)).astype(np.float64)
    assert half.shape == (450, 800, 3)
    assert np.abs(half - full.reshape(450, 2, 800, 2, 3).mean(axis=(1, 3))).mean() < 1.0
