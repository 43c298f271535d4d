"""Reliability diagrams."""

import numpy as np
import pytest

from paintpipe.schemas.arrays import Float64, UInt8
from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.view.reliability_chart import Reliability, reliability_chart

BLUE, RED = (80, 125, 212), (209, 73, 91)


def diagram(accuracy: Float64, title: str = "net") -> Reliability:
    middles = (np.arange(15) + 0.5) / 15
    return Reliability(title, np.full(15, 100), middles, accuracy, 0.1)


def share(image: UInt8, color: tuple[int, int, int]) -> float:
    return float((np.abs(image.astype(int) - color).max(axis=-1) < 30).mean())


def test_bars_reach_to_the_accuracy_and_gaps_are_hatched() -> None:
    low, high, exact = (reliability_chart([diagram(np.full(15, value))]) for value in (0.1, 0.9, 0.5))
    assert share(low, BLUE) < share(exact, BLUE) < share(high, BLUE)
    agreeing = reliability_chart([diagram((np.arange(15) + 0.5) / 15)])
    assert share(agreeing, RED) < 0.2 * share(low, RED)


def test_several_stand_side_by_side_and_empty_bins_stay_empty() -> None:
    one = diagram(np.full(15, 0.5))
    gaps = one._replace(points=np.array([0] * 14 + [5]), accuracy=np.r_[np.full(14, np.nan), 1.0])
    pair = reliability_chart([one, gaps])
    assert pair.shape[1] > 1.8 * reliability_chart([one]).shape[1]
    assert share(reliability_chart([gaps]), BLUE) < 0.3 * share(reliability_chart([one]), BLUE)


def test_a_layer_without_any_point_and_a_hostile_title_are_drawn() -> None:
    nothing = Reliability("$x^2$ \x1b[31m" * 30, np.zeros(15), np.full(15, np.nan), np.full(15, np.nan), float("nan"))
    assert reliability_chart([nothing]).shape[1] < 1200


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="as many bins each"):
        reliability_chart([])
    with pytest.raises(ConfigError, match=r"\[14, 15\] bins"):
        reliability_chart([diagram(np.full(15, 0.5))._replace(points=np.ones(14))])
