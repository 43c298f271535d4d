"""A small detector in the manner of PointPillars (Lang et al., arXiv 1812.05784) with a centre head.

Points are gathered in pillars, a network of one layer describes each pillar by its points (section 2.1), the pillars'
descriptions make an image from above, and convolutions at two scales read it (section 2.2). Instead of anchors, a
heat map for each class says where the centres are (Yin et al., CenterPoint, arXiv 2006.11275, section 4).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

REGRESSED = 8
"""Of a box: offset of its centre within the cell (2), z, log l, log w, log h, sin and cos of its heading."""


@dataclass(frozen=True)
class Grid:
    """A square seen from above, centred at the LiDAR.

    Attributes:
        half_m: half its side.
        pillar_m: side of a pillar.
        stride: pillars a cell of the heat map is wide.
    """

    half_m: float = 32.0
    pillar_m: float = 0.4
    stride: int = 2

    @property
    def pillars(self) -> int:
        """Pillars along a side."""
        return round(2 * self.half_m / self.pillar_m)

    @property
    def cells(self) -> int:
        """Cells of the heat map along a side."""
        return self.pillars // self.stride

    @property
    def cell_m(self) -> float:
        """Side of a cell."""
        return self.pillar_m * self.stride


class PillarNet(nn.Module):
    """(M, 4 + C) points of a batch and (M,) numbers of their frames → (B, 32, P, P) image from above.

    The columns are x, y, z in metres, intensity on [0, 1], and C scores; distances to the pillar's mean and centre are
    added, as in section 2.1 of the paper.
    """

    def __init__(self, scores: int, grid: Grid, width: int = 32) -> None:
        super().__init__()
        self.grid, self.width = grid, width
        self.layer = nn.Linear(4 + 5 + scores, width, bias=False)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, points: Tensor, frame: Tensor, frames: int) -> Tensor:
        """See the class."""
        side, half_m, pillar_m = self.grid.pillars, self.grid.half_m, self.grid.pillar_m
        at = ((points[:, :2] + half_m) / pillar_m).floor().long()
        inside = ((at >= 0) & (at < side)).all(dim=1)
        points, at, frame = points[inside], at[inside], frame[inside]
        pillar, which = torch.unique((frame * side + at[:, 1]) * side + at[:, 0], return_inverse=True)
        count = torch.zeros(len(pillar)).index_add_(0, which, torch.ones(len(points)))
        mean = torch.zeros(len(pillar), 3).index_add_(0, which, points[:, :3]) / count[:, None]
        centre = (at + 0.5) * pillar_m - half_m
        scaled = torch.cat([points[:, :3] / torch.tensor([half_m, half_m, 3.0]), points[:, 3:]], dim=1)
        described = torch.cat([scaled, points[:, :3] - mean[which], points[:, :2] - centre], dim=1)
        features = self.norm(self.layer(described)).relu()
        most = torch.zeros(len(pillar), self.width).scatter_reduce(
            0, which[:, None].expand_as(features), features, "amax"
        )
        canvas = torch.zeros(frames * side * side, self.width).index_copy(0, pillar, most)
        return canvas.view(frames, side, side, self.width).permute(0, 3, 1, 2)


def block(inner: int, outer: int, stride: int, depth: int = 3) -> nn.Sequential:
    """`depth` convolutions, the first of which strides."""
    layers: list[nn.Module] = []
    for number in range(depth):
        first = number == 0
        layers += [
            nn.Conv2d(inner if first else outer, outer, 3, stride if first else 1, 1, bias=False),
            nn.BatchNorm2d(outer),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


class Detector(nn.Module):
    """Points → (B, K, S, S) logits of the classes' centres and (B, 8, S, S) boxes at each cell."""

    def __init__(self, classes: int, scores: int, grid: Grid) -> None:
        super().__init__()
        self.pillars = PillarNet(scores, grid)
        self.fine, self.coarse = block(32, 48, grid.stride), block(48, 96, 2)
        self.up = nn.Sequential(nn.ConvTranspose2d(96, 48, 2, 2, bias=False), nn.BatchNorm2d(48), nn.ReLU(inplace=True))
        self.shared = block(96, 48, 1, depth=1)
        self.heat, self.boxes = nn.Conv2d(48, classes, 1), nn.Conv2d(48, REGRESSED, 1)
        nn.init.constant_(self.heat.bias, -4.0)  # nearly all cells hold no centre

    def forward(self, points: Tensor, frame: Tensor, frames: int) -> tuple[Tensor, Tensor]:
        """See the class."""
        fine = self.fine(self.pillars(points, frame, frames))
        shared = self.shared(torch.cat([fine, self.up(self.coarse(fine))], dim=1))
        return self.heat(shared), self.boxes(shared)
