"""ESPNetv2 for segmentation (Mehta et al., arXiv 1811.11431), with layer names that load sacmehta/EdgeNets' weights."""

from torch import Tensor, nn
from torch.nn.functional import interpolate

from paintpipe.schemas.errors import ModelError
from paintpipe.stages.segment.espnetv2_blocks import EESP, DownSampler, GatedMerge, PyramidPool, first_conv, norm_act

CHANNELS: dict[float, tuple[int, int, int, int]] = {
    0.5: (16, 32, 64, 128),
    1.0: (32, 64, 128, 256),
    1.25: (32, 80, 160, 320),
    1.5: (32, 96, 192, 384),
    2.0: (32, 128, 256, 512),
}
"""Encoder channels at strides 2, 4, 8 and 16 by width scale."""
_DECODER = (64, 48, 32)
_WIDEST_PYRAMID = 16


class Encoder(nn.Module):
    """(N, 3, H, W) → features at strides 2, 4, 8 and 16."""

    def __init__(self, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        one, two, three, four = channels
        self.level1 = first_conv(one)
        self.level2_0 = DownSampler(one, two, 13)
        self.level3_0 = DownSampler(two, three, 11)
        self.level3 = nn.ModuleList(EESP(three, three, 9) for _ in range(3))
        self.level4_0 = DownSampler(three, four, 9)
        self.level4 = nn.ModuleList(EESP(four, four, 7) for _ in range(7))

    def forward(self, image: Tensor) -> list[Tensor]:
        """Four feature maps, finest first."""
        features = [self.level1(image)]
        features.append(self.level2_0(features[-1], image))
        for down, units in ((self.level3_0, self.level3), (self.level4_0, self.level4)):
            x = down(features[-1], image)
            for unit in units:
                x = unit(x)
            features.append(x)
        return features


class ESPNetv2(nn.Module):
    """(N, 3, H, W) → (N, n_classes, H / 2, W / 2) logits; H and W are multiples of 16.

    The last bilinear resize to the image (align_corners=True) is left to the caller.

    Args:
        scale: width of the encoder, a key of `CHANNELS`.
        n_classes: output channels.

    Raises:
        ModelError: a scale that was never published.
    """

    def __init__(self, scale: float = 2.0, n_classes: int = 20) -> None:
        super().__init__()
        if scale not in CHANNELS or n_classes < 2:
            raise ModelError(
                f"no ESPNetv2 has scale={scale!r} and n_classes={n_classes!r}",
                expected=f"scale one of {', '.join(map(str, CHANNELS))}, n_classes ≥ 2",
            )
        channels = CHANNELS[scale]
        self.base_net = Encoder(channels)
        thin = min(n_classes // 2, _WIDEST_PYRAMID)
        one, two, three = _DECODER
        self.bu_dec_l1 = PyramidPool(channels[3], thin, one)
        self.bu_dec_l2 = PyramidPool(one, thin, two)
        self.bu_dec_l3 = PyramidPool(two, thin, three)
        self.bu_dec_l4 = PyramidPool(three, thin, n_classes, last=True)
        self.merge_enc_dec_l2 = GatedMerge(channels[2], one)
        self.merge_enc_dec_l3 = GatedMerge(channels[1], two)
        self.merge_enc_dec_l4 = GatedMerge(channels[0], three)
        self.bu_br_l2, self.bu_br_l3, self.bu_br_l4 = norm_act(one), norm_act(two), norm_act(three)

    def forward(self, image: Tensor) -> Tensor:
        """Logits at stride 2, before the last bilinear resize."""
        finest, fine, coarse, coarsest = self.base_net(image)
        x = self.bu_dec_l1(coarsest)
        x = self.bu_dec_l2(self.bu_br_l2(self.merge_enc_dec_l2(coarse) + _doubled(x)))
        x = self.bu_dec_l3(self.bu_br_l3(self.merge_enc_dec_l3(fine) + _doubled(x)))
        logits: Tensor = self.bu_dec_l4(self.bu_br_l4(self.merge_enc_dec_l4(finest) + _doubled(x)))
        return logits


def _doubled(x: Tensor) -> Tensor:
    return interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
