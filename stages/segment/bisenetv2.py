"""BiSeNet V2 (Yu et al., arXiv 2004.02147), with layer names that load the published checkpoints."""

from typing import Literal

from torch import Tensor, nn

from paintpipe.schemas.errors import ModelError
from paintpipe.stages.segment.bisenetv2_blocks import ConvBNReLU, DetailBranch, GuidedAggregation, SemanticBranch

HeadKind = Literal["bilinear", "pixel-shuffle"]
_AUX_FACTORS = (4, 8, 16, 32)


class SegmentHead(nn.Module):
    """Features → class logits.

    `bilinear` (CoinCheung/BiSeNet) ends at stride 8, and the logits are resized with align_corners=False;
    `pixel-shuffle` (AmrElsersy/PointPainting) ends at stride 1, at the network's input size.
    """

    def __init__(self, inputs: int, middle: int, n_classes: int, kind: HeadKind) -> None:
        super().__init__()
        self.conv = ConvBNReLU(inputs, middle)
        self.drop = nn.Dropout(0.1)
        if kind == "bilinear":
            self.conv_out = nn.Sequential(nn.Identity(), nn.Conv2d(middle, n_classes, 1))
        else:
            self.conv_out = nn.Sequential(nn.Conv2d(middle, n_classes * 64, 1), nn.PixelShuffle(8))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) → (N, n_classes, h, w), or eight times as high and wide after `pixel-shuffle`."""
        logits: Tensor = self.conv_out(self.drop(self.conv(x)))
        return logits


class AuxiliaryHead(nn.Module):
    """A head on a shallow stage, for training only; its logits have twice the stage's size."""

    def __init__(self, inputs: int, middle: int, n_classes: int, factor: int) -> None:
        super().__init__()
        self.conv = ConvBNReLU(inputs, middle)
        self.drop = nn.Dropout(0.1)
        grow = nn.Sequential(nn.Upsample(scale_factor=2), ConvBNReLU(middle, factor * factor))
        self.conv_out = nn.Sequential(grow, nn.Conv2d(factor * factor, n_classes, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) → (N, n_classes, 2 h, 2 w)."""
        logits: Tensor = self.conv_out(self.drop(self.conv(x)))
        return logits


class BiSeNetV2(nn.Module):
    """(N, 3, H, W) → native logits; H and W are multiples of 32.

    Args:
        n_classes: output channels.
        width: factor on every channel count inside (1.0 is the published network).
        head: see `SegmentHead`; native logits lie at stride 8 (`bilinear`) or 1 (`pixel-shuffle`).
        head_channels: width of the head before the classes, by default 1024 · width.
        aux: add the four auxiliary heads of CoinCheung's checkpoints (`forward_all` returns their logits too).

    Raises:
        ModelError: an option that no BiSeNet V2 has.
    """

    def __init__(
        self,
        n_classes: int = 19,
        width: float = 1.0,
        head: HeadKind = "bilinear",
        head_channels: int | None = None,
        aux: bool = False,
    ) -> None:
        super().__init__()
        if head not in ("bilinear", "pixel-shuffle") or n_classes < 1 or not 0.0 < width <= 4.0:
            raise ModelError(
                f"no BiSeNet V2 has head={head!r}, n_classes={n_classes}, width={width}",
                expected="head 'bilinear' or 'pixel-shuffle', n_classes ≥ 1, 0 < width ≤ 4",
            )
        detail, semantic = _scaled((64, 64, 128), width), _scaled((16, 32, 64, 128), width)
        self.detail = DetailBranch((detail[0], detail[1], detail[2]))
        self.segment = SemanticBranch((semantic[0], semantic[1], semantic[2], semantic[3]))
        self.bga = GuidedAggregation(detail[2], semantic[3])
        self.head = SegmentHead(detail[2], head_channels or _scaled((1024,), width)[0], n_classes, head)
        self.aux_names = ("aux2", "aux3", "aux4", "aux5_4") if aux else ()
        middle = _scaled((128,), width)[0]
        for name, inputs, factor in zip(self.aux_names, semantic, _AUX_FACTORS, strict=False):
            self.add_module(name, AuxiliaryHead(inputs, middle, n_classes, factor))
        self._initialise()

    def forward(self, x: Tensor) -> Tensor:
        """(N, n_classes, h, w) logits on the network's own grid, before the last bilinear resize."""
        logits: Tensor = self.head(self.bga(self.detail(x), self.segment(x)[-1]))
        return logits

    def forward_all(self, x: Tensor) -> list[Tensor]:
        """The native logits, then those of each auxiliary head on its own grid (for training)."""
        features = self.segment(x)
        logits = [self.head(self.bga(self.detail(x), features[-1]))]
        logits.extend(self.get_submodule(name)(part) for name, part in zip(self.aux_names, features, strict=False))
        return logits

    def _initialise(self) -> None:
        """He initialisation; the last norm of every residual starts at 0, so that the network starts shallow."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.BatchNorm2d) and name.endswith("conv2.1"):
                nn.init.zeros_(module.weight)


def _scaled(channels: tuple[int, ...], width: float) -> tuple[int, ...]:
    """Channel counts times `width`, as multiples of 4 (fast, and even for the stem), at least 4."""
    return tuple(max(4, round(count * width / 4) * 4) for count in channels)
