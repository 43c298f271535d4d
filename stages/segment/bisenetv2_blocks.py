"""The parts of BiSeNet V2 (Yu et al., arXiv 2004.02147), with the layer names of the published checkpoints.

Layer names follow CoinCheung/BiSeNet and AmrElsersy/PointPainting, so that their state dicts load as they are.
Every tensor is (N, C, H, W) float.
"""

import torch
from torch import Tensor, nn

EXPANSION = 6
"""How much wider a gather-and-expansion layer is inside (section 4.2 of the paper)."""


def plain_conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution without bias that keeps the size, divided by `stride`."""
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False)


class ConvBNReLU(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = plain_conv(inputs, outputs, kernel, stride)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, outputs, H / stride, W / stride)."""
        return torch.relu_(self.bn(self.conv(x)))


def conv_run(inputs: int, outputs: int, length: int) -> nn.Sequential:
    """`length` 3×3 convolutions, the first with stride 2."""
    first = ConvBNReLU(inputs, outputs, stride=2)
    return nn.Sequential(first, *(ConvBNReLU(outputs, outputs) for _ in range(length - 1)))


class DetailBranch(nn.Module):
    """Wide and shallow: (N, 3, H, W) → (N, c3, H / 8, W / 8)."""

    def __init__(self, channels: tuple[int, int, int]) -> None:
        super().__init__()
        self.S1 = conv_run(3, channels[0], 2)
        self.S2 = conv_run(channels[0], channels[1], 3)
        self.S3 = conv_run(channels[1], channels[2], 3)

    def forward(self, x: Tensor) -> Tensor:
        """The details at stride 8."""
        result: Tensor = self.S3(self.S2(self.S1(x)))
        return result


class StemBlock(nn.Module):
    """Two ways of halving, side by side: (N, 3, H, W) → (N, c, H / 4, W / 4)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = ConvBNReLU(3, channels, stride=2)
        self.left = nn.Sequential(ConvBNReLU(channels, channels // 2, 1), ConvBNReLU(channels // 2, channels, stride=2))
        self.right = nn.MaxPool2d(3, stride=2, padding=1)
        self.fuse = ConvBNReLU(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Features at stride 4."""
        x = self.conv(x)
        result: Tensor = self.fuse(torch.cat([self.left(x), self.right(x)], dim=1))
        return result


class GatherExpand(nn.Module):
    """Gather-and-expansion layer with stride 1; input and output have the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = channels * EXPANSION
        self.conv1 = ConvBNReLU(channels, channels)
        self.dwconv = nn.Sequential(plain_conv(channels, wide, groups=channels), nn.BatchNorm2d(wide), nn.ReLU(True))
        self.conv2 = nn.Sequential(plain_conv(wide, channels, 1), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """The input plus what was gathered from its neighbourhood."""
        return torch.relu_(self.conv2(self.dwconv(self.conv1(x))) + x)


class GatherExpandDown(nn.Module):
    """Gather-and-expansion layer with stride 2: (N, inputs, H, W) → (N, outputs, H / 2, W / 2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        wide = inputs * EXPANSION
        self.conv1 = ConvBNReLU(inputs, inputs)
        self.dwconv1 = nn.Sequential(plain_conv(inputs, wide, stride=2, groups=inputs), nn.BatchNorm2d(wide))
        self.dwconv2 = nn.Sequential(plain_conv(wide, wide, groups=wide), nn.BatchNorm2d(wide), nn.ReLU(True))
        self.conv2 = nn.Sequential(plain_conv(wide, outputs, 1), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Sequential(
            plain_conv(inputs, inputs, stride=2, groups=inputs),
            nn.BatchNorm2d(inputs),
            plain_conv(inputs, outputs, 1),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features at half the size."""
        return torch.relu_(self.conv2(self.dwconv2(self.dwconv1(self.conv1(x)))) + self.shortcut(x))


class ContextEmbedding(nn.Module):
    """Adds the image's mean feature to every pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(channels)
        self.conv_gap = ConvBNReLU(channels, channels, 1)
        self.conv_last = ConvBNReLU(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as the input."""
        mean = self.conv_gap(self.bn(x.mean(dim=(2, 3), keepdim=True)))
        result: Tensor = self.conv_last(mean + x)
        return result


def stage(inputs: int, outputs: int, length: int) -> nn.Sequential:
    """`length` gather-and-expansion layers, the first with stride 2."""
    return nn.Sequential(GatherExpandDown(inputs, outputs), *(GatherExpand(outputs) for _ in range(length - 1)))


class SemanticBranch(nn.Module):
    """Narrow and deep: (N, 3, H, W) → features at strides 4, 8, 16, 32 and 32 with context."""

    def __init__(self, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.S1S2 = StemBlock(channels[0])
        self.S3 = stage(channels[0], channels[1], 2)
        self.S4 = stage(channels[1], channels[2], 2)
        self.S5_4 = stage(channels[2], channels[3], 4)
        self.S5_5 = ContextEmbedding(channels[3])

    def forward(self, x: Tensor) -> list[Tensor]:
        """The features of every stage, shallowest first; the last is what is fused, the others feed auxiliary heads."""
        features = [self.S1S2(x)]
        for deeper in (self.S3, self.S4, self.S5_4, self.S5_5):
            features.append(deeper(features[-1]))
        return features


class GuidedAggregation(nn.Module):
    """Bilateral guided aggregation: each branch gates the other (section 4.3 of the paper)."""

    def __init__(self, detail: int, semantic: int) -> None:
        super().__init__()
        self.left1 = nn.Sequential(
            plain_conv(detail, detail, groups=detail), nn.BatchNorm2d(detail), plain_conv(detail, detail, 1)
        )
        self.left2 = nn.Sequential(
            plain_conv(detail, detail, stride=2), nn.BatchNorm2d(detail), nn.AvgPool2d(3, stride=2, padding=1)
        )
        self.right1 = nn.Sequential(plain_conv(semantic, detail), nn.BatchNorm2d(detail))
        self.right2 = nn.Sequential(
            plain_conv(semantic, semantic, groups=semantic), nn.BatchNorm2d(semantic), plain_conv(semantic, detail, 1)
        )
        self.up = nn.Upsample(scale_factor=4)
        self.conv = nn.Sequential(plain_conv(detail, detail), nn.BatchNorm2d(detail), nn.ReLU(True))

    def forward(self, detail: Tensor, semantic: Tensor) -> Tensor:
        """(N, d, H / 8, W / 8) and (N, s, H / 32, W / 32) → (N, d, H / 8, W / 8)."""
        fine = self.left1(detail) * torch.sigmoid(self.up(self.right1(semantic)))
        coarse = self.left2(detail) * torch.sigmoid(self.right2(semantic))
        result: Tensor = self.conv(fine + self.up(coarse))
        return result
