"""Sampling where the network ran: the numba sampler's numbers, on any device, and only the points' scores come back."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from support.paint import pixels_at
from support.segment import make_card, make_image

from paintpipe.schemas.errors import ConfigError, ImageError
from paintpipe.schemas.pixels import PixelScores, ResidentScores, on_host
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.paint.sample import sample_pixels
from paintpipe.stages.segment.bisenetv2 import BiSeNetV2
from paintpipe.stages.segment.network import Network, on_device
from paintpipe.stages.segment.resident import DeviceScores, scores_at
from paintpipe.stages.segment.segmenter import Segmenter
from paintpipe.stages.segment.upload import stacked, upload

WITHIN = 5e-7


def _everywhere(extent: tuple[int, int]):  # type: ignore[no-untyped-def]
    rows, cols = np.mgrid[0 : extent[0], 0 : extent[1]]
    return pixels_at(rows.ravel(), cols.ravel())


def _values(kind: str, shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = (
        rng.normal(0, 40, shape) if kind == "logits" else rng.dirichlet(np.ones(shape[0]), shape[1:]).transpose(2, 0, 1)
    )
    return values.astype(np.float32)


@pytest.mark.parametrize("last", [False, True], ids=["planes", "channels-last"])
@pytest.mark.parametrize("extent", [(37, 61), (9, 13), (4, 5), (1, 1)])
@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("kind", ["logits", "probabilities"])
def test_the_numba_samplers_numbers(kind: str, align_corners: bool, extent: tuple[int, int], last: bool) -> None:
    values, at = _values(kind, (20, 9, 13)), _everywhere(extent)
    expected, painted = sample_pixels(PixelScores(values, kind, align_corners, extent), at)  # type: ignore[arg-type]
    tensor = torch.from_numpy(values)
    tensor = tensor[None].contiguous(memory_format=torch.channels_last)[0] if last else tensor
    row, col = torch.from_numpy(at.row), torch.from_numpy(at.col)
    found, there = scores_at(tensor, kind == "logits", align_corners, extent, row, col)
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=WITHIN)
    np.testing.assert_array_equal(there.numpy(), painted)
    sent, there_too = sample_pixels(DeviceScores(tensor, kind, align_corners, extent), at)  # type: ignore[arg-type]
    assert (sent.dtype, sent.shape) == (np.float32, expected.shape)
    np.testing.assert_array_equal(there_too, painted)
    # What is stored is float16: the same, or the next number where a score lies on the border between two.
    steps = sent.astype(np.float16).view(np.int16) - expected.astype(np.float16).view(np.int16).astype(np.int64)
    assert int(np.abs(steps).max()) <= 1
    assert float((steps != 0).mean()) < 0.01


@pytest.mark.parametrize("kind", ["logits", "probabilities"])
def test_what_is_not_finite_is_unpainted(kind: str) -> None:
    values, at = _values(kind, (3, 2, 6)), _everywhere((2, 6))
    values[1, 0, 0], values[2, 0, 2], values[:, 1, 4] = np.nan, np.inf, -np.inf
    expected, painted = sample_pixels(PixelScores(values, kind, False, (2, 6)), at)  # type: ignore[arg-type]
    found, there = sample_pixels(DeviceScores(torch.from_numpy(values), kind, False, (2, 6)), at)  # type: ignore[arg-type]
    np.testing.assert_array_equal(there, painted)
    assert 0 < int(painted.sum()) < len(painted)
    np.testing.assert_allclose(found, expected, atol=3e-4)


def test_no_point_at_all_and_a_point_outside() -> None:
    scores = DeviceScores(torch.zeros(3, 2, 2), "logits", False, (4, 4))
    assert isinstance(scores, ResidentScores)
    none, painted = sample_pixels(scores, pixels_at(np.zeros(0, int), np.zeros(0, int)))
    assert none.shape == (0, 3)
    assert painted.shape == (0,)
    with pytest.raises(ImageError, match="class scores span 4x4 px"):
        sample_pixels(scores, pixels_at(np.array([4]), np.array([0])))


def test_a_segmenter_leaves_scores_where_they_are_and_they_are_those_of_predict() -> None:
    torch.manual_seed(0)
    module = on_device(BiSeNetV2(5, width=0.25, head_channels=32), "cpu")
    segmenter = Segmenter(
        Network(module, make_card(), "0" * 64, 5, module), SegmentSettings(threads=1, batch_size=2), 5
    )
    images = [make_image(70, 100, seed) for seed in range(3)]
    for resident, host in zip(segmenter.resident(images), segmenter.predict(images), strict=True):
        fetched = on_host(resident)
        assert isinstance(fetched, PixelScores)
        assert fetched.values.tobytes() == host.values.tobytes()
        assert replace(fetched, values=host.values) == replace(host)
        at = _everywhere((70, 100))
        np.testing.assert_allclose(sample_pixels(resident, at)[0], sample_pixels(host, at)[0], atol=3e-4)
    assert on_host(host) is host


def test_images_are_stacked_resized_and_sent_as_bytes() -> None:
    images = [make_image(64, 96, seed) for seed in range(2)]
    batch = stacked(images, (64, 96), pinned=False)
    assert (batch.dtype, tuple(batch.shape)) == (torch.uint8, (2, 64, 96, 3))
    np.testing.assert_array_equal(batch.numpy(), np.stack(images))
    smaller = stacked(images, (32, 64), pinned=False).numpy()
    np.testing.assert_array_equal(smaller[1], cv2.resize(images[1], (64, 32), interpolation=cv2.INTER_LINEAR))
    assert upload(batch, "cpu") is batch


@pytest.mark.parametrize("place", ["upload.upload", "resident.scores_at", "forward"])
def test_want_of_memory_on_the_device_is_one_clear_line(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    if place != "forward":
        monkeypatch.setattr(f"paintpipe.stages.segment.{place}", full)
    forward = full if place == "forward" else lambda batch: batch
    segmenter = Segmenter(Network(forward, make_card(), "0" * 64, 3), SegmentSettings(threads=1), 3)
    with pytest.raises(ConfigError, match="ran out of memory; lower --batch-size"):
        segmenter.resident([make_image(64, 96)])[0].sample(np.zeros(1, np.int32), np.zeros(1, np.int32))
