"""Running a network: native scores, batches, augmentation worked out by hand, precision and refusals."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from support.segment import make_card, make_image, make_state

from paintpipe.schemas.errors import ConfigError, ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.bisenetv2 import BiSeNetV2
from paintpipe.stages.segment.network import Network
from paintpipe.stages.segment.segmenter import Segmenter, load_segmenter


def _segmenter(
    tmp_path: Path, settings: SegmentSettings | None = None, card: ModelCard | None = None, classes: int = 5
) -> Segmenter:
    torch.save(make_state(), tmp_path / "w.pth")
    return load_segmenter(card or make_card(), tmp_path / "w.pth", classes, settings or SegmentSettings(threads=1))


def _stub(forward: Callable[[torch.Tensor], torch.Tensor], card: ModelCard, **settings: object) -> Segmenter:
    """A segmenter around any function of the input."""
    return Segmenter(Network(forward, card, "0" * 64, 3), SegmentSettings(threads=1, **settings), 3)  # type: ignore[arg-type]


def _pooled(batch: torch.Tensor) -> torch.Tensor:
    """A network whose logits are the mean colour of each 8×8 block, and that knows left from right."""
    blocks = torch.nn.functional.avg_pool2d(batch, 8)
    return blocks + torch.arange(blocks.shape[3]) * 0.03


def _softmax(values: np.ndarray) -> np.ndarray:
    power = np.exp(values - values.max(axis=0))
    return power / power.sum(axis=0)


def test_scores_are_the_networks_own_on_its_own_grid(tmp_path: Path) -> None:
    image = make_image(70, 100)
    scores = _segmenter(tmp_path).predict([image])[0]
    network = BiSeNetV2(5, width=0.25, head_channels=32).eval()
    network.load_state_dict(make_state())
    resized = cv2.resize(image, (96, 64), interpolation=cv2.INTER_LINEAR)
    with torch.inference_mode():
        expected = network(torch.from_numpy(resized).permute(2, 0, 1)[None].float() / 255)[0].numpy()
    assert scores.values.shape == (5, 8, 12)
    assert scores.values.dtype == np.float32
    assert scores.values.flags.c_contiguous
    assert (scores.kind, scores.align_corners, scores.extent_px) == ("logits", False, (70, 100))
    assert float(np.ptp(expected)) > 0.1
    np.testing.assert_allclose(scores.values, expected, atol=1e-4)


def test_the_same_bytes_every_time_and_no_batch_size_mixes_images(tmp_path: Path) -> None:
    images = [make_image(seed=seed) for seed in range(3)]
    segmenter = _segmenter(tmp_path)
    alone = [segmenter.predict([image])[0].values for image in images]
    again = [scores.values for scores in segmenter.predict(images)]
    assert all(one.tobytes() == two.tobytes() for one, two in zip(alone, again, strict=True))
    paired = replace(segmenter, settings=replace(segmenter.settings, batch_size=2)).predict(images)
    for one, two in zip(alone, paired, strict=True):
        np.testing.assert_allclose(two.values, one, atol=1e-4)
    assert segmenter.predict([]) == []


def test_any_thread_gives_the_same_bytes(tmp_path: Path) -> None:
    segmenter, image = _segmenter(tmp_path, SegmentSettings(threads=2)), make_image(256, 512)
    here = segmenter.predict([image])[0].values.tobytes()
    with ThreadPoolExecutor(3) as pool:
        elsewhere = list(pool.map(lambda _: segmenter.predict([image])[0].values.tobytes(), range(6)))
    assert set(elsewhere) == {here}


def test_batches_have_the_size_that_was_asked_for() -> None:
    seen = []

    def forward(batch: torch.Tensor) -> torch.Tensor:
        seen.append(len(batch))
        return _pooled(batch)

    _stub(forward, make_card(), batch_size=2).predict([make_image(64, 64)] * 5)
    assert seen == [2, 2, 1]


def test_dropped_channels_and_probabilities() -> None:
    given = torch.tensor([0.1, 0.2, 0.3, 0.4]).view(1, 4, 1, 1).expand(1, 4, 2, 2)
    logits = _stub(lambda _: given, make_card(drop_channels=(1,))).predict([make_image(64, 64)])[0]
    assert logits.values[:, 0, 0].tolist() == pytest.approx([0.1, 0.3, 0.4])
    card = make_card(drop_channels=(1,), output="probabilities")
    shares = _stub(lambda _: given, card).predict([make_image(64, 64)])[0]
    assert shares.kind == "probabilities"
    assert shares.values[:, 0, 0].tolist() == pytest.approx([0.125, 0.375, 0.5])


@pytest.mark.parametrize("align_corners", [True, False])
def test_augmentation_is_the_mean_of_probabilities_worked_out_by_hand(align_corners: bool) -> None:
    image, card = make_image(64, 96), make_card(align_corners=align_corners)
    settings = {"tta_scales": (1.0, 2.0), "tta_flip": True}
    found = _stub(_pooled, card, **settings).predict([image])[0]
    total = np.zeros((3, 8, 12))
    for scale in (1, 2):
        resized = cv2.resize(image, (96 * scale, 64 * scale), interpolation=cv2.INTER_LINEAR) / 255.0
        for mirrored in (False, True):
            view = resized[:, ::-1] if mirrored else resized
            blocks = view.reshape(8 * scale, 8, 12 * scale, 8, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
            shares = _softmax(blocks + np.arange(12 * scale) * 0.03)
            shares = shares[:, :, ::-1] if mirrored else shares
            total += _halved(shares, align_corners) if scale == 2 else shares
    assert found.kind == "probabilities"
    assert found.extent_px == (64, 96)
    np.testing.assert_allclose(found.values, total / 4, atol=1e-5)
    np.testing.assert_allclose(found.values.sum(axis=0), 1, atol=1e-5)


def _halved(shares: np.ndarray, align_corners: bool) -> np.ndarray:
    """(C, 2 h, 2 w) → (C, h, w) by bilinear interpolation."""
    for axis in (1, 2):
        size = shares.shape[axis] // 2
        at = np.arange(size) * (2 * size - 1) / (size - 1) if align_corners else np.arange(size) * 2 + 0.5
        low = np.minimum(np.floor(at).astype(int), 2 * size - 2)
        weight = (at - low).reshape([-1 if part == axis else 1 for part in range(3)])
        shares = shares.take(low, axis) * (1 - weight) + shares.take(low + 1, axis) * weight
    return shares


def test_extra_scales_come_on_top_of_the_image_as_it_is() -> None:
    sizes = []

    def forward(batch: torch.Tensor) -> torch.Tensor:
        sizes.append(tuple(batch.shape[2:]))
        return _pooled(batch)

    scores = _stub(forward, make_card(), tta_scales=(0.5, 1.0, 0.5)).predict([make_image(64, 128)])[0]
    assert sizes == [(64, 128), (32, 64)]
    assert scores.values.shape == (3, 8, 16)


def test_bf16_is_near_and_not_the_same(tmp_path: Path) -> None:
    image = make_image()
    full = _segmenter(tmp_path).predict([image])[0].values
    half = _segmenter(tmp_path, SegmentSettings(precision="bf16", threads=1)).predict([image])[0].values
    assert half.dtype == np.float32
    assert 0 < float(np.abs(full - half).max()) < 0.1 * float(np.ptp(full))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"precision": "fp16"}, "fp16 needs a CUDA device"),
        ({"threads": 0}, "at least 1"),
        ({"batch_size": 0}, "at least 1"),
        ({"tta_scales": (0.0,)}, "scales between"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _segmenter(tmp_path, SegmentSettings(**settings))  # type: ignore[arg-type]


def test_images_and_sizes_that_do_not_fit(tmp_path: Path) -> None:
    segmenter = _segmenter(tmp_path)
    with pytest.raises(ConfigError, match="differ in size"):
        segmenter.predict([make_image(64, 64), make_image(64, 96)])
    odd = replace(segmenter, settings=replace(segmenter.settings, input_size_px=(50, 64)))
    with pytest.raises(ConfigError, match="multiples of 32"):
        odd.predict([make_image()])


def test_a_network_that_fails_is_told_in_one_line() -> None:
    def forward(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("sizes do not match\nand a long tail")

    with pytest.raises(ModelError, match=r"small: the network failed on input \(1, 3, 64, 64\) \(sizes do not match\)"):
        _stub(forward, make_card()).predict([make_image(64, 64)])


def test_real_image_at_the_policys_size(real_data: Path) -> None:
    from paintpipe.stages.segment.registry import find_card

    weights = real_data / "weights/espnetv2/espnetv2_s_0.5_city_1024x512.pth"
    segmenter = load_segmenter(find_card("espnetv2-s0.5-cityscapes"), weights, 20, SegmentSettings(threads=2))
    image = cv2.imread(str(real_data / "kitti/training/image_2/000000.png"))[:, :, ::-1]
    scores = segmenter.predict([np.ascontiguousarray(image)])[0]
    rounded = [side // 32 * 32 for side in image.shape[:2]]
    assert scores.values.shape == (20, rounded[0] // 2, rounded[1] // 2)
    assert scores.extent_px == image.shape[:2]
    assert scores.align_corners
    assert segmenter.weights_sha256 == segmenter.card.weights_sha256
