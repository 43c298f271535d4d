import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.stages.synth.hit import hit_ball, hit_block, hit_round, hit_unit, unit_normal
from paintpipe.stages.synth.primitives import BALL, BLOCK, ROUND

X = (1.0, 0.0, 0.0)


def test_box_from_the_front_beside_and_behind() -> None:
    assert hit_block((-3.0, 0.5, 0.5), X, 0.0, 0.0) == pytest.approx(2.0)
    assert hit_block((-3.0, 1.1, 0.0), X, 0.0, 0.0) == math.inf
    assert hit_block((3.0, 0.0, 0.0), X, 0.0, 0.0) == math.inf


def test_gable_and_cabin_lean_inwards() -> None:
    # a roof's side at z = 0 stands at |y| = 1/2; a cabin of taper 0.4 at |x| = 0.8
    assert hit_block((0.0, -3.0, 0.0), (0.0, 1.0, 0.0), 0.0, 1.0) == pytest.approx(2.5)
    assert hit_block((-3.0, 0.0, 0.0), X, 0.4, 0.0) == pytest.approx(2.2)


def test_cylinder_cone_and_ring() -> None:
    assert hit_round((-3.0, 0.6, 0.0), X, 0.0, 0.0) == pytest.approx(3.0 - 0.8)
    assert hit_round((-3.0, 0.0, 0.0), X, 1.0, 0.0) == pytest.approx(2.5)
    assert hit_round((0.5, 0.0, 5.0), (0.0, 0.0, -1.0), 0.0, 0.0) == pytest.approx(4.0)
    assert hit_round((0.5, 0.0, 5.0), (0.0, 0.0, -1.0), 0.0, 0.8) == math.inf
    assert hit_round((0.9, 0.0, 5.0), (0.0, 0.0, -1.0), 0.0, 0.8) == pytest.approx(4.0)


def test_ball_and_its_holes() -> None:
    assert hit_ball((-3.0, 0.0, 0.6), X, 0.0, 0.0) == pytest.approx(2.2)
    through = [hit_ball((-3.0, 0.0, z), X, 0.45, 0.3) for z in np.linspace(-0.9, 0.9, 60)]
    near = [3.0 - math.sqrt(1 - z * z) for z in np.linspace(-0.9, 0.9, 60)]
    holes = [not math.isclose(a, b, abs_tol=1e-9) for a, b in zip(through, near, strict=True)]
    assert 0 < sum(holes) < 60


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from([BLOCK, ROUND, BALL]),
    taper=st.sampled_from([(0.0, 0.0), (0.5, 0.2)]),
)
def test_a_hit_lies_on_the_surface_and_faces_the_ray(seed: int, kind: int, taper: tuple[float, float]) -> None:
    rng = np.random.default_rng(seed)
    tx, ty = (0.0, 0.0) if kind == BALL else (taper[0], taper[1] if kind == BLOCK else 0.0)
    origin = rng.normal(size=3)
    origin *= 4.0 / np.linalg.norm(origin)
    direction = rng.uniform(-0.8, 0.8, 3) - origin
    t = hit_unit(kind, tuple(origin), tuple(direction), tx, ty, 0.5)
    samples = origin + np.linspace(0, 2, 4001)[:, None] * direction
    inside = np.flatnonzero(_inside(kind, samples, tx, ty))
    if len(inside) == 0:
        # at most a graze between two samples
        assert t == math.inf or not _inside(kind, (origin + (t + 2e-3) * direction)[None], tx, ty)[0]
        return
    assert t == pytest.approx(inside[0] * 5e-4, abs=6e-4)
    x, y, z = origin + t * direction
    assert np.dot(unit_normal(kind, x, y, z, tx, ty), direction) < 1e-9


def _inside(kind: int, p: np.ndarray, tx: float, ty: float) -> np.ndarray:
    lean = (p[:, 2] + 1) / 2
    if kind == BLOCK:
        return (abs(p[:, 2]) < 1) & (abs(p[:, 0]) < 1 - tx * lean) & (abs(p[:, 1]) < 1 - ty * lean)
    if kind == ROUND:
        return (abs(p[:, 2]) < 1) & (np.hypot(p[:, 0], p[:, 1]) < 1 - tx * lean)
    return np.linalg.norm(p, axis=1) < 1
