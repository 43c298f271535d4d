"""BiSeNet V2 against the names, shapes and outputs of the two published networks."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from support.segment import reference_fill

from paintpipe.schemas.errors import ModelError
from paintpipe.stages.segment.bisenetv2 import BiSeNetV2

VARIANTS = {
    "coincheung": ("coincheung_cityscapes_keys.json", {"aux": True}),
    "amrelsersy": ("amrelsersy_kitti_keys.json", {"head": "pixel-shuffle"}),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_names_and_shapes_are_those_of_the_published_checkpoint(real_data: Path, variant: str) -> None:
    file, options = VARIANTS[variant]
    published = json.loads((real_data / "weights/bisenetv2" / file).read_text())
    ours = {name: list(value.shape) for name, value in BiSeNetV2(19, **options).state_dict().items()}
    assert ours == published


@pytest.mark.parametrize("variant", VARIANTS)
def test_outputs_are_those_of_the_published_network(real_data: Path, variant: str) -> None:
    network = BiSeNetV2(19, **VARIANTS[variant][1]).eval()
    network.load_state_dict(reference_fill(network.state_dict()))
    image = np.random.default_rng(1).standard_normal((1, 3, 128, 256)).astype(np.float32)
    with torch.inference_mode():
        native = network(torch.from_numpy(image))
        # The pixel-shuffle head ends at the input's size; the other is resized by 8, align_corners=False.
        full = torch.nn.functional.interpolate(native, size=(128, 256), mode="bilinear", align_corners=False)
    expected = np.load(real_data / f"weights/bisenetv2/{variant}_reference.npz")["logits"]
    assert native.shape == ((1, 19, 16, 32) if variant == "coincheung" else (1, 19, 128, 256))
    assert float(np.abs(expected).max()) > 0.1
    np.testing.assert_allclose(full.numpy()[:, :, ::8, ::8], expected, atol=1e-4, rtol=0)


def test_the_last_resize_of_the_bilinear_head_does_not_align_corners(real_data: Path) -> None:
    network = BiSeNetV2(19, aux=True).eval()
    network.load_state_dict(reference_fill(network.state_dict()))
    image = np.random.default_rng(1).standard_normal((1, 3, 128, 256)).astype(np.float32)
    with torch.inference_mode():
        native = network(torch.from_numpy(image))
        wrong = torch.nn.functional.interpolate(native, size=(128, 256), mode="bilinear", align_corners=True)
    expected = np.load(real_data / "weights/bisenetv2/coincheung_reference.npz")["logits"]
    assert float(np.abs(wrong.numpy()[:, :, ::8, ::8] - expected).max()) > 1e-3


def test_a_narrow_network_fits_four_megabytes() -> None:
    network = BiSeNetV2(11, width=0.5, head_channels=128)
    size = sum(value.numel() * value.element_size() for value in network.state_dict().values())
    assert size < 4 * 2**20


def test_auxiliary_heads_are_asked_for_and_leave_the_main_logits_alone() -> None:
    torch.manual_seed(0)
    network = BiSeNetV2(5, width=0.25, aux=True).eval()
    image = torch.randn(1, 3, 64, 96)
    logits = network.forward_all(image)
    assert [tuple(value.shape) for value in logits] == [
        (1, 5, 8, 12),
        (1, 5, 32, 48),
        (1, 5, 16, 24),
        (1, 5, 8, 12),
        (1, 5, 4, 6),
    ]
    assert torch.equal(logits[0], network(image))
    assert len(BiSeNetV2(5, width=0.25).eval().forward_all(image)) == 1


@pytest.mark.parametrize("options", [{"head": "linear"}, {"width": 0.0}, {"n_classes": 0}])
def test_options_that_no_such_network_has(options: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="no BiSeNet V2 has"):
        BiSeNetV2(**options)  # type: ignore[arg-type]
