import itertools
import time

import pytest

from paintpipe.pipeline.stage_cost import StageCost, ideal_per_s, stage_cost

READ, DECODE = StageCost("read", 0.002, 0.001), StageCost("decode", 0.010, 0.010)
FORWARD_CPU = StageCost("forward", 0.100, 0.189)
FORWARD_GPU = StageCost("forward", 0.002, 0.0005, devices=1)


def test_on_the_processor_the_ideal_is_cores_over_the_sum_of_core_seconds():
    # 0.001 + 0.010 + 0.189 = 0.2 core-seconds a frame.
    assert ideal_per_s([READ, DECODE, FORWARD_CPU], cores=2) == pytest.approx(10.0)
    assert ideal_per_s([READ, DECODE, FORWARD_CPU], cores=8) == pytest.approx(40.0)


def test_on_a_device_the_ideal_is_the_slowest_stages_own_rate():
    # read 8 / 0.001 = 8000, decode 8 / 0.010 = 800, forward 1 / 0.002 = 500.
    assert ideal_per_s([READ, DECODE, FORWARD_GPU], cores=8) == pytest.approx(500.0)
    # With 2 cores, decoding is slower than the device: 2 / 0.010 = 200.
    assert ideal_per_s([READ, DECODE, FORWARD_GPU], cores=2) == pytest.approx(200.0)
    two = StageCost("forward", 0.002, 0.0005, devices=2)
    assert ideal_per_s([READ, DECODE, two], cores=64) == pytest.approx(1000.0)


def test_alone_is_one_worker():
    assert FORWARD_CPU.alone_per_s == pytest.approx(10.0)
    assert FORWARD_CPU.own_rate(cores=2) == pytest.approx(2 / 0.189)


def clocks(monkeypatch, walls, cores):
    """Each pass asks each clock twice; the second time it has gone on by so much."""
    for name, spent in (("perf_counter", walls), ("process_time", cores)):
        ticks = itertools.chain.from_iterable((0.0, each) for each in spent)
        monkeypatch.setattr(time, name, lambda ticks=ticks: next(ticks))


def test_the_median_pass_counts(monkeypatch):
    clocks(monkeypatch, [9.0, 1.0, 2.0], [4.0, 1.0, 3.0])
    passes = []
    cost = stage_cost("decode", 2, lambda: passes.append(1), least_s=12.0)
    assert cost == StageCost("decode", wall_s=1.0, core_s=1.5)
    assert len(passes) == 3


@pytest.mark.parametrize(("walls", "count"), [([5.0] * 9, 2), ([0.1] * 9, 4)])
def test_at_least_two_passes_and_at_most_so_many(monkeypatch, walls, count):
    clocks(monkeypatch, walls, [0.1] * 9)
    passes = []
    stage_cost("decode", 1, lambda: passes.append(1), least_s=1.0, most=4)
    assert len(passes) == count


def test_a_clock_that_stands_still_gives_a_finite_rate(monkeypatch):
    clocks(monkeypatch, [0.0] * 9, [0.0] * 9)
    cost = stage_cost("read", 1, lambda: None)
    assert cost.alone_per_s == pytest.approx(1e9)
