"""The parts of ESPNetv2 (Mehta et al., arXiv 1811.11431), with the layer names of sacmehta/EdgeNets' checkpoints.

Two naming habits meet there: the encoder's blocks name their layers `conv`, `bn`, `act`, the decoder's number them in
a sequence called `cbr` or `br`. Every tensor is (N, C, H, W) float.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, interpolate

BRANCHES = 4
IMAGE_CHANNELS = 3
PYRAMID_SCALES = (2.0, 1.5, 1.0, 0.5, 0.1)
_SMALLEST_PYRAMID = 5


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, dilation: int = 1) -> nn.Conv2d:
    padding = kernel // 2 * dilation
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias=False)


class EncoderConv(nn.Module):
    """Convolution, then batch norm and PReLU where asked for."""

    def __init__(self, conv: nn.Conv2d, *, norm: bool = True, act: bool = True) -> None:
        super().__init__()
        self.conv = conv
        if norm:
            self.bn = nn.BatchNorm2d(conv.out_channels)
        if act:
            self.act = nn.PReLU(conv.out_channels)
        self._with = (norm, act)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, H / stride, W / stride)."""
        x = self.conv(x)
        norm, act = self._with
        x = self.bn(x) if norm else x
        return self.act(x) if act else x


class NormAct(nn.Module):
    """Batch norm and PReLU of the encoder."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(channels)
        self.act = nn.PReLU(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as the input."""
        result: Tensor = self.act(self.bn(x))
        return result


def first_conv(channels: int) -> EncoderConv:
    """The encoder's first layer: (N, 3, H, W) → (N, channels, H / 2, W / 2)."""
    return EncoderConv(_conv(IMAGE_CHANNELS, channels, 3, stride=2))


def branch_dilations(largest_field_px: int) -> list[int]:
    """Dilations of the branches, ascending; a branch whose field would pass the limit falls back to dilation 1."""
    fields = [3 + 2 * branch for branch in range(BRANCHES)]
    return sorted((field - 1) // 2 if field <= largest_field_px else 1 for field in fields)


class EESP(nn.Module):
    """Extremely efficient spatial pyramid unit: reduce, split, transform with growing dilation, merge (section 3.1).

    With `stride` 2 it returns the merged branches alone, without shortcut and activation (the down-sampler adds those).
    """

    def __init__(self, inputs: int, outputs: int, largest_field_px: int, stride: int = 1) -> None:
        super().__init__()
        thin = outputs // BRANCHES
        self.stride = stride
        self.proj_1x1 = EncoderConv(_conv(inputs, thin, 1, groups=BRANCHES))
        dilations = branch_dilations(largest_field_px)
        depthwise = (_conv(thin, thin, 3, stride, groups=thin, dilation=dilation) for dilation in dilations)
        self.spp_dw = nn.ModuleList(EncoderConv(conv, norm=False, act=False) for conv in depthwise)
        self.conv_1x1_exp = EncoderConv(_conv(outputs, outputs, 1, groups=BRANCHES), act=False)
        self.br_after_cat = NormAct(outputs)
        self.module_act = nn.PReLU(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, H / stride, W / stride)."""
        thin = self.proj_1x1(x)
        fused: list[Tensor] = []
        for branch in self.spp_dw:
            # Each branch adds the one before it, which takes away the dilated kernels' gridding.
            fused.append(branch(thin) + fused[-1] if fused else branch(thin))
        merged: Tensor = self.conv_1x1_exp(self.br_after_cat(torch.cat(fused, dim=1)))
        return merged if self.stride == 2 else self.module_act(merged + x)


class DownSampler(nn.Module):
    """Halves the size: pooled input beside an EESP unit, plus a short way from the image itself (section 3.2)."""

    def __init__(self, inputs: int, outputs: int, largest_field_px: int) -> None:
        super().__init__()
        self.eesp = EESP(inputs, outputs - inputs, largest_field_px, stride=2)
        self.avg = nn.AvgPool2d(3, stride=2, padding=1)
        self.inp_reinf = nn.Sequential(
            EncoderConv(_conv(IMAGE_CHANNELS, IMAGE_CHANNELS, 3)),
            EncoderConv(_conv(IMAGE_CHANNELS, outputs, 1), act=False),
        )
        self.act = nn.PReLU(outputs)

    def forward(self, x: Tensor, image: Tensor) -> Tensor:
        """(N, inputs, h, w) and the image (N, 3, H, W) → (N, outputs, h / 2, w / 2)."""
        halved = torch.cat([self.avg(x), self.eesp(x)], dim=1)
        while image.shape[2] > halved.shape[2]:
            image = avg_pool2d(image, 3, stride=2, padding=1)
        result: Tensor = self.act(halved + self.inp_reinf(image))
        return result


def norm_act(channels: int) -> nn.Sequential:
    """Batch norm and PReLU of the decoder."""
    return nn.Sequential(nn.BatchNorm2d(channels), nn.PReLU(channels))


class DecoderConv(nn.Module):
    """Convolution, batch norm and PReLU of the decoder."""

    def __init__(self, inputs: int, outputs: int, kernel: int, groups: int = 1) -> None:
        super().__init__()
        self.cbr = nn.Sequential(_conv(inputs, outputs, kernel, groups=groups), *norm_act(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, H, W)."""
        result: Tensor = self.cbr(x)
        return result


class DecoderNormAct(nn.Module):
    """Batch norm and PReLU of the decoder, one level deeper in the names."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.br = norm_act(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as the input."""
        result: Tensor = self.br(x)
        return result


class GatedMerge(nn.Module):
    """Encoder features for the decoder, each channel weighted by the image's mean."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.wt_layer = nn.Sequential(nn.AdaptiveAvgPool2d(1), _conv(inputs, outputs, 1), nn.Sigmoid())
        self.expansion_layer = DecoderConv(inputs, outputs, 3, groups=math.gcd(inputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, H, W)."""
        result: Tensor = self.expansion_layer(x) * self.wt_layer(x)
        return result


class PyramidPool(nn.Module):
    """Depth-wise convolutions at five scales of the input, shuffled together; the last one ends without a norm."""

    def __init__(self, inputs: int, thin: int, outputs: int, *, last: bool = False) -> None:
        super().__init__()
        scales = len(PYRAMID_SCALES)
        self.projection_layer = DecoderConv(inputs, thin, 1)
        self.stages = nn.ModuleList(_conv(thin, thin, 3, groups=thin) for _ in PYRAMID_SCALES)
        self.merge_layer = nn.Sequential(
            DecoderNormAct(thin * scales),
            nn.ChannelShuffle(scales),
            DecoderConv(thin * scales, thin, 3, groups=thin),
            nn.Conv2d(thin, outputs, 1, bias=last),
        )
        if not last:
            self.br = DecoderNormAct(outputs)
        self._last = last

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, H, W)."""
        x = self.projection_layer(x)
        views = [_at_scale(x, stage, scale) for stage, scale in zip(self.stages, PYRAMID_SCALES, strict=True)]
        merged: Tensor = self.merge_layer(torch.cat(views, dim=1))
        return merged if self._last else self.br(merged)


def _at_scale(x: Tensor, stage: nn.Module, scale: float) -> Tensor:
    """A stage run on `x` resized by `scale`, brought back to the size of `x`."""
    height, width = x.shape[2], x.shape[3]
    size = (max(_SMALLEST_PYRAMID, math.ceil(height * scale)), max(_SMALLEST_PYRAMID, math.ceil(width * scale)))
    if scale > 1.0:
        larger = interpolate(x, size, mode="bilinear", align_corners=True)
        return adaptive_avg_pool2d(stage(larger), (height, width))
    if scale < 1.0:
        smaller = stage(adaptive_avg_pool2d(x, size))
        return interpolate(smaller, (height, width), mode="bilinear", align_corners=True)
    result: Tensor = stage(x)
    return result
