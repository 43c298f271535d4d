"""ESPNetv2: the published checkpoints load name for name and give the published figures on Cityscapes."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from support.segment import needs

from paintpipe.schemas.errors import ModelError
from paintpipe.schemas.pixels import PixelScores
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.agreement import LABELS_AGREE, SCORES_WITHIN, difference
from paintpipe.stages.segment.espnetv2 import ESPNetv2
from paintpipe.stages.segment.espnetv2_blocks import branch_dilations
from paintpipe.stages.segment.registry import find_card
from paintpipe.stages.segment.segmenter import Segmenter, load_segmenter
from paintpipe.stages.segment.upsample import full_size_labels

TRAIN_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
FRANKFURT = {"0.5": (0.5949, 0.9584), "1.0": (0.7257, 0.9686), "2.0": (0.7086, 0.9691)}
ALL_FOUR_S05 = (0.4854, 0.9376)


@cache
def _segmenter(real_data: Path, scale: str) -> Segmenter:
    weights = real_data / f"weights/espnetv2/espnetv2_s_{scale}_city_1024x512.pth"
    settings = SegmentSettings(input_size_px=(512, 1024), threads=2)
    return load_segmenter(find_card(f"espnetv2-s{scale}-cityscapes"), weights, 20, settings)


def _predict(segmenter: Segmenter, image_path: Path) -> PixelScores:
    return segmenter.predict([np.ascontiguousarray(cv2.imread(str(image_path))[:, :, ::-1])])[0]


@cache
def _eager(real_data: Path, scale: str, image_path: Path) -> PixelScores:
    return _predict(_segmenter(real_data, scale), image_path)


def _confusion(scores: PixelScores, image_path: Path) -> np.ndarray:
    raw = cv2.imread(str(image_path).replace("leftImg8bit/", "gtFine/").replace("leftImg8bit", "gtFine_labelIds"), -1)
    truth = np.full(256, 255, dtype=np.int64)
    truth[list(TRAIN_IDS)] = range(19)
    truth = truth[raw]
    # The reference leaves the background output out.
    nineteen = type(scores)(np.ascontiguousarray(scores.values[:19]), "logits", True, scores.extent_px)
    predicted = full_size_labels(nineteen, raw.shape)
    kept = truth < 19
    return np.bincount(truth[kept] * 19 + predicted[kept], minlength=361).reshape(19, 19)


def _figures(confusion: np.ndarray) -> tuple[float, float]:
    """mIoU over the classes that are present, and pixel accuracy."""
    hit, there = np.diag(confusion), confusion.sum(axis=1) > 0
    iou = hit[there] / (confusion.sum(axis=0) + confusion.sum(axis=1) - hit)[there]
    return float(iou.mean()), float(hit.sum() / confusion.sum())


@pytest.mark.parametrize("scale", FRANKFURT)
def test_published_checkpoint_has_our_names_and_shapes(real_data: Path, scale: str) -> None:
    state = torch.load(
        real_data / f"weights/espnetv2/espnetv2_s_{scale}_city_1024x512.pth", map_location="cpu", weights_only=True
    )
    assert {name: value.shape for name, value in state.items()} == {
        name: value.shape for name, value in ESPNetv2(float(scale)).state_dict().items()
    }


@pytest.mark.parametrize("scale", ["1.0", "2.0"])
def test_published_figures_of_one_image(real_data: Path, scale: str) -> None:
    image = next((real_data / "cityscapes/leftImg8bit").rglob("frankfurt*.png"))
    found = _figures(_confusion(_eager(real_data, scale, image), image))
    assert found == pytest.approx(FRANKFURT[scale], abs=0.003)


def test_published_figures_of_four_images_in_one_confusion_matrix(real_data: Path) -> None:
    images = sorted((real_data / "cityscapes/leftImg8bit").rglob("*.png"))
    assert len(images) == 4
    each = [_confusion(_eager(real_data, "0.5", image), image) for image in images]
    frankfurt = next(matrix for matrix, image in zip(each, images, strict=True) if "frankfurt" in image.name)
    assert _figures(frankfurt) == pytest.approx(FRANKFURT["0.5"], abs=0.003)
    assert _figures(np.sum(each, axis=0)) == pytest.approx(ALL_FOUR_S05, abs=0.003)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_published_figures_hold_under_each_backend(real_data: Path, backend: str) -> None:
    needs(backend)
    eager = _segmenter(real_data, "0.5")
    settings = replace(eager.settings, backend=backend)
    weights = real_data / "weights/espnetv2/espnetv2_s_0.5_city_1024x512.pth"
    other = load_segmenter(eager.card, weights, 20, settings)
    path = next((real_data / "cityscapes/leftImg8bit").rglob("frankfurt*.png"))
    found = _predict(other, path)
    assert _figures(_confusion(found, path)) == pytest.approx(FRANKFURT["0.5"], abs=0.003)
    one, two = (torch.from_numpy(each.values)[None] for each in (_eager(real_data, "0.5", path), found))
    labels, scores = difference(one, two, "logits")
    assert labels >= LABELS_AGREE
    assert scores <= SCORES_WITHIN


def test_native_logits_lie_at_stride_2() -> None:
    with torch.inference_mode():
        assert ESPNetv2(0.5, 20).eval()(torch.zeros(2, 3, 64, 96)).shape == (2, 20, 32, 48)


def test_dilations_fall_back_to_one_past_the_largest_field() -> None:
    assert branch_dilations(13) == [1, 2, 3, 4]
    assert branch_dilations(9) == [1, 2, 3, 4]
    assert branch_dilations(7) == [1, 1, 2, 3]


@pytest.mark.parametrize("options", [{"scale": 0.7}, {"n_classes": 1}])
def test_a_network_that_was_never_published(options: dict[str, float]) -> None:
    with pytest.raises(ModelError, match="no ESPNetv2 has"):
        ESPNetv2(**options)  # type: ignore[arg-type]
