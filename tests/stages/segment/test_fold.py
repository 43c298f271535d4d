"""Folding batch norms: the same numbers to rounding, fewer layers, and never where it would change anything."""

from collections.abc import Callable

import pytest
import torch
from support.segment import make_card, reference_fill
from torch import nn

from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.bisenetv2 import BiSeNetV2
from paintpipe.stages.segment.espnetv2 import ESPNetv2
from paintpipe.stages.segment.fold import conv_norm_pairs, fold_pairs, folded
from paintpipe.stages.segment.network import Network, on_device


def _smp() -> nn.Module:
    smp = pytest.importorskip("segmentation_models_pytorch")
    return smp.FPN("resnet18", encoder_weights=None, classes=5)  # type: ignore[no-any-return]


def _torchvision() -> nn.Module:
    segmentation = pytest.importorskip("torchvision.models.segmentation")
    from paintpipe.stages.segment.zoo import _WithoutResize

    return _WithoutResize(segmentation.fcn_resnet50(weights=None, weights_backbone=None, num_classes=5))


def _norms(module: nn.Module) -> int:
    return sum(isinstance(layer, nn.BatchNorm2d) for layer in module.modules())


def _network(module: nn.Module) -> Network:
    module.load_state_dict(reference_fill(module.state_dict()))
    module = on_device(module, "cpu")
    return Network(module, make_card(), "0" * 64, 5, module)


@pytest.mark.parametrize(
    ("build", "left"),
    [
        (lambda: BiSeNetV2(5, width=0.25, head_channels=32), 1),  # of the image's mean
        (lambda: BiSeNetV2(5, width=0.25, head="pixel-shuffle", head_channels=32), 1),
        (lambda: ESPNetv2(0.5, 5), 20),  # after sums and concatenations
        (_smp, 0),
        (_torchvision, 0),
    ],
    ids=["bisenetv2", "pixel-shuffle", "espnetv2", "smp", "torchvision"],
)
def test_a_folded_network_says_the_same_to_rounding(build: Callable[[], nn.Module], left: int) -> None:
    network = _network(build())
    lighter = folded(network, SegmentSettings())
    assert lighter.module is lighter.forward
    assert lighter.module is not None
    assert _norms(network.module) > _norms(lighter.module) == left  # type: ignore[arg-type]
    images = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected, found = network.forward(images), lighter.forward(images)
    assert float(expected.std()) > 1e-3
    assert float((found - expected).abs().max()) <= 1e-5 * max(1.0, float(expected.abs().max()))
    assert not any(parameter.requires_grad for parameter in lighter.module.parameters())


class _Shared(nn.Module):
    """One convolution whose output is used twice, before and after its norm; another that runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.again = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        raw = self.conv(images)
        once: torch.Tensor = self.again(raw + self.norm(raw))
        return self.again(once)  # type: ignore[no-any-return]


def test_what_is_used_twice_is_left_alone() -> None:
    network = _network(_Shared())
    with torch.inference_mode():
        images = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
        pairs, output = conv_norm_pairs(network.module, images)  # type: ignore[arg-type]
        assert pairs == [("conv", "norm")]
        wrong = fold_pairs(network.module, pairs)(images)  # type: ignore[arg-type]
    assert float((wrong - output).abs().max()) > 1e-2
    assert folded(network, SegmentSettings()) is network


class _Training(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, track_running_stats=False))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.shape[2] > 512:
            raise RuntimeError("too large")
        return self.layers(images)  # type: ignore[no-any-return]


def test_norms_without_statistics_and_sizes_that_fail_are_left_alone() -> None:
    network = _network(_Training())
    assert folded(network, SegmentSettings()) is network
    assert folded(network, SegmentSettings(input_size_px=(1024, 64))) is network
    stub = Network(lambda images: images, make_card(), "0" * 64, 3)
    assert folded(stub, SegmentSettings()) is stub
