"""The example detector: its score and its targets by hand, and that it learns a frame by heart."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

EXAMPLE = Path(__file__).parents[2] / "examples" / "pointpillars"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """The example's modules, as a script beside them imports them."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    names = ("model", "targets", "score")
    yield SimpleNamespace(**{name: __import__(name) for name in names})
    for name in names:
        sys.modules.pop(name)


def test_average_precision_by_hand(example: SimpleNamespace) -> None:
    found = example.score.Found(
        centres_m=np.array([[0.0, 0.0], [0.1, 0.0], [10.4, 0.0], [50.0, 0.0]]),
        scores=np.array([0.9, 0.8, 0.7, 0.6]),
        truth_m=np.array([[0.0, 0.2], [10.0, 0.0]]),
    )
    # In order of score: hit, miss (its centre is taken), hit, miss. Precision is 1 up to recall 0.49; from 0.5 it runs
    # straight from 1/2 to 2/3, and at recall 1 it ends at 2/4. Of each of the 90 places, 0.1 doesn't count.
    rising = np.interp(np.arange(50, 100) / 100, [0.5, 1.0], [0.5, 2 / 3])
    expected = (39 * 0.9 + (rising - 0.1).sum() + 0.4) / 90 / 0.9
    assert example.score.average_precision([found], 1.0) == pytest.approx(expected)
    assert example.score.average_precision([found], 0.1) == 0.0
    nothing = example.score.Found(np.zeros((0, 2)), np.zeros(0), np.zeros((0, 2)))
    assert np.isnan(example.score.average_precision([nothing], 1.0))


def test_boxes_come_back_from_what_they_are_encoded_as(example: SimpleNamespace) -> None:
    grid = example.model.Grid(half_m=8.0, pillar_m=0.5)
    boxes = torch.tensor(
        [[-3.1, 4.2, 0.4, 4.0, 1.8, 1.5, 0.3], [5.0, -5.0, 0.0, 0.6, 0.7, 1.7, -2.5], [9.0, 0, 0, 1, 1, 1, 0]]
    )
    heat, wanted, cells = example.targets.heat_and_boxes(boxes, torch.tensor([0, 1, 0]), 2, grid)
    assert (heat == 1).nonzero().tolist() == [[0, 12, 4], [1, 3, 13]], "the third lies outside"
    said = torch.zeros(example.model.REGRESSED, grid.cells**2)
    said[:, cells] = wanted.T
    logits = torch.logit(heat, eps=1e-4)
    back, kind, score = example.targets.decode(logits, said.view(-1, grid.cells, grid.cells), grid, most=2)
    order = kind.argsort()
    torch.testing.assert_close(back[order], boxes[:2], atol=1e-5, rtol=0)
    assert (score > 0.99).all()


def test_it_learns_a_frame_by_heart(example: SimpleNamespace) -> None:
    torch.manual_seed(0)
    grid = example.model.Grid(half_m=8.0, pillar_m=0.5)
    boxes = torch.tensor([[-3.0, 4.0, 0.5, 1.0, 1.0, 1.0, 0.0], [3.0, -4.0, 0.5, 1.0, 1.0, 1.0, 1.0]])
    points = torch.cat([boxes[number, :3] + torch.rand(60, 3) - 0.5 for number in range(2)])
    points = torch.cat([points, torch.rand(120, 1)], dim=1)
    net = example.model.Detector(2, 0, grid)
    steps = torch.optim.Adam(net.parameters(), 3e-3)
    wanted = example.targets.heat_and_boxes(boxes, torch.tensor([0, 1]), 2, grid)
    losses = []
    for _ in range(60):
        heat, said = net(points, torch.zeros(len(points), dtype=torch.long), 1)
        value = example.targets.loss(heat, said, wanted[0][None], [wanted[1]], [wanted[2]])
        steps.zero_grad()
        value.backward()
        steps.step()
        losses.append(value.item())
    assert losses[-1] < 0.2 * losses[0]
    found, kind, _ = example.targets.decode(heat[0].detach(), said[0].detach(), grid, most=2)
    away = (found[kind.argsort(), :2] - boxes[:, :2]).norm(dim=1)
    assert (away < 0.5).all()
