import numpy as np
import pytest
import torch

from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.augment import class_weights, random_colors, random_crop
from paintpipe.stages.segment.train import TrainSettings, confusion_matrix, export_state, train_bisenetv2

CARD = ModelCard(
    "x",
    "bisenetv2",
    "t",
    {"width": 0.125, "head": "pixel-shuffle", "head_channels": 16},
    mean=(0.5,) * 3,
    std=(0.25,) * 3,
)


def examples() -> list[tuple[np.ndarray, np.ndarray]]:
    """Left halves dark and of class 0, right halves bright and of class 1."""
    labels = np.zeros((64, 128), dtype=np.uint8)
    labels[:, 64:] = 1
    image = np.repeat((40 + 170 * labels)[..., None], 3, axis=2).astype(np.uint8)
    return [(image, labels)] * 4


def train(seed: int) -> tuple[list[float], dict[str, torch.Tensor]]:
    losses: list[float] = []
    settings = TrainSettings(steps=40, batch_size=4, crop_px=(64, 64), seed=seed, threads=1)
    module = train_bisenetv2(CARD, 2, examples(), settings, lambda step, loss: losses.append(loss))
    return losses, export_state(module)


def test_training_learns_and_repeats() -> None:
    losses, state = train(1)
    again, same = train(1)
    assert losses == again
    assert all(torch.equal(state[name], same[name]) for name in state)
    assert np.mean(losses[-3:]) < 0.75 * np.mean(losses[:3])
    assert all(tensor.dtype in (torch.float16, torch.int64) for tensor in state.values())


def test_crops_keep_labels_with_their_pixels() -> None:
    rng = np.random.default_rng(0)
    image, labels = examples()[0]
    for _ in range(20):
        crop, crop_labels = random_crop(rng, image, labels, (64, 96))
        assert crop.shape == (64, 96, 3)
        bright = crop[..., 0] > 125
        # bilinear and nearest part ways on the border's own column only
        assert (bright == (crop_labels == 1)).mean() > 0.97
    assert random_colors(rng, image).dtype == np.uint8


def test_rare_classes_weigh_more_and_ignored_pixels_count_nothing() -> None:
    labels = np.zeros((10, 10), dtype=np.uint8)
    labels[0, :5], labels[5:] = 1, 255
    common, rare = class_weights([labels], 2)
    assert rare / common == pytest.approx((45 / 5) ** 0.25)
    table = confusion_matrix(labels, np.zeros_like(labels), 2)
    assert table.tolist() == [[45, 0], [5, 0]]
