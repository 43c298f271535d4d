"""The way from an image to a network's input, against numpy in float64."""

import cv2
import numpy as np
import pytest
from support.segment import make_card, make_image

from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.segment.prepare import InputPlan, network_input, plan_input, scaled_plan

PLANS = [
    # policy, image, input size and what it spans
    ({"resize": "multiple"}, (375, 1242), InputPlan((352, 1216), (352, 1216), (375, 1242))),
    ({"resize": "multiple"}, (20, 1242), InputPlan((32, 1216), (32, 1216), (20, 1242))),
    ({"resize": "multiple", "multiple_px": 8}, (375, 1242), InputPlan((368, 1240), (368, 1240), (375, 1242))),
    ({"resize": "fixed", "input_size_px": (512, 1024)}, (375, 1242), InputPlan((512, 1024), (512, 1024), (375, 1242))),
    ({"resize": "pad"}, (375, 1242), InputPlan((375, 1242), (384, 1248), (384, 1248))),
    ({"resize": "pad"}, (384, 1248), InputPlan((384, 1248), (384, 1248), (384, 1248))),
]


@pytest.mark.parametrize(("options", "image_px", "expected"), PLANS)
def test_resize_policies(options: dict[str, object], image_px: tuple[int, int], expected: InputPlan) -> None:
    assert plan_input(make_card(**options), image_px) == expected


def test_the_users_size_goes_before_the_cards() -> None:
    for policy in ("multiple", "pad"):
        plan = plan_input(make_card(resize=policy), (375, 1242), (256, 768))
        assert plan == InputPlan((256, 768), (256, 768), (375, 1242))
    with pytest.raises(ConfigError, match=r"input size 768x250 .*multiples of 32 pixels, such as 768x256"):
        plan_input(make_card(), (375, 1242), (250, 768))


def test_a_networks_own_rule_is_padded_and_spans_more_than_the_image() -> None:
    plan = plan_input(make_card(resize="pad"), (100, 200), None, lambda size: (size[0] // 2, size[1] // 2))
    assert plan == InputPlan((50, 100), (64, 128), (128, 256))


def test_scales_keep_what_the_input_spans() -> None:
    plan = plan_input(make_card(resize="pad"), (60, 100))
    assert scaled_plan(make_card(), plan, 2.0) == InputPlan((120, 200), (128, 256), (64, 128))
    assert scaled_plan(make_card(), plan, 0.5) == InputPlan((30, 50), (32, 64), (64, 128))


@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("policy", ["multiple", "pad"])
def test_values_are_those_of_a_float64_reference(order: str, policy: str) -> None:
    mean, std, scale = (0.3, 0.4, 0.5), (0.2, 0.25, 0.5), 1 / 200
    card = make_card(channel_order=order, resize=policy, mean=mean, std=std, input_scale=scale)
    images = [make_image(70, 100, seed) for seed in range(2)]
    plan = plan_input(card, (70, 100))
    found = network_input(card, images, plan, "cpu").numpy()
    height, width = plan.resized_px
    for image, got in zip(images, found, strict=True):
        resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float64)
        resized = resized[:, :, ::-1] if order == "bgr" else resized
        expected = np.zeros((3, *plan.input_px))
        expected[:, :height, :width] = ((resized * scale - mean) / std).transpose(2, 0, 1)
        np.testing.assert_allclose(got, expected, atol=1e-5)
    assert plan.input_px == ((64, 96) if policy == "multiple" else (96, 128))
