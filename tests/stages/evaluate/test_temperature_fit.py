"""The temperature found is the one that scores were scaled by."""

import numpy as np
import pytest

from paintpipe.schemas.arrays import Float16, Float64, Int64, UInt8
from paintpipe.stages.evaluate.reliability import nll_units, reliability_frame
from paintpipe.stages.evaluate.temperature_fit import (
    ROUNDS,
    at_the_end,
    best_temperature,
    first_grid,
    next_grid,
)
from paintpipe.stages.paint.temperature import temper_scores


def soft_max(logits: Float64) -> Float64:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def planted(temperature: float, points: int = 20_000) -> tuple[Float16, UInt8]:
    """Scores that are too sure (or not sure enough) by a known factor: labels are drawn from the logits' soft-max."""
    draw = np.random.default_rng(5)
    logits = draw.normal(size=(points, 8)) * 1.5
    truth = (soft_max(logits).cumsum(axis=1) > draw.random((points, 1))).argmax(axis=1)
    return soft_max(logits * temperature).astype(np.float16), truth.astype(np.uint8)


def fit(scores: Float16, truth: UInt8) -> float:
    def units(grid: tuple[float, ...]) -> Int64:
        return np.array([nll_units(temper_scores(scores, 2.0**at), truth) for at in grid], np.int64)

    grid = first_grid()
    for _ in range(ROUNDS - 1):
        grid = next_grid(grid, units(grid))
    return best_temperature(grid, units(grid))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7, 3.0])
def test_a_planted_temperature_is_recovered_and_the_error_goes(temperature: float) -> None:
    scores, truth = planted(temperature)
    found = fit(scores, truth)
    assert found == pytest.approx(temperature, rel=0.03)
    labels = scores.argmax(axis=1).astype(np.uint8)
    before = reliability_frame(scores, labels, truth, 8)
    after = reliability_frame(temper_scores(scores, found), labels, truth, 8)
    assert after.ece < 0.012
    assert after.nll <= before.nll + 1e-9
    assert after.accuracy == before.accuracy
    if temperature != 1.0:
        assert before.ece > 4 * after.ece


def test_rounds_close_in_fourfold_and_stay_inside() -> None:
    grid = first_grid()
    assert (grid[0], grid[-1], len(grid)) == (-4.0, 4.0, 9)
    around = next_grid(grid, np.array([9, 8, 7, 6, 5, 4, 3, 9, 9]))
    assert around == (1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0)
    assert next_grid(grid, np.arange(9)) == (-4.0, -3.75, -3.5, -3.25, -3.0)


def test_the_lowest_point_of_the_parabola() -> None:
    grid = (0.0, 1.0, 2.0)
    assert best_temperature(grid, np.array([4, 1, 4])) == 2.0
    assert best_temperature(grid, np.array([2, 1, 4])) == pytest.approx(2.0**0.75)  # lowest of x² - 1.5 x + c
    assert best_temperature(grid, np.array([1, 1, 1])) == 1.0


def test_an_end_of_the_search_is_told() -> None:
    truth = np.arange(3, dtype=np.uint8).repeat(50)
    sure = np.eye(3)[truth] * 0.4 + 0.2  # always right at 0.6: the surer the better
    assert at_the_end(fit(sure.astype(np.float16), truth))
    assert not at_the_end(1.5)
