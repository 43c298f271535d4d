"""Several layers made into one."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.schemas.arrays import UNPAINTED, AnyArray
from paintpipe.schemas.errors import ConfigError, TaxonomyError
from paintpipe.schemas.painted import Flag, PaintedFrame
from paintpipe.stages.paint.check import check_painted
from paintpipe.stages.paint.fusion import FusionRule, fuse_frames, renumbered
from paintpipe.stages.paint.temperature import FLOOR

P, V = int(Flag.PAINTED), int(Flag.VISIBLE)


def frame(*rows: tuple[float, ...], camera: tuple[int, ...] | None = None, flags: int = 0) -> PaintedFrame:
    """Painted where a row is not all 0; camera 0 and VISIBLE there unless told otherwise."""
    scores = np.array(rows, np.float16)
    on = scores.any(axis=1)
    label = np.where(on, scores.argmax(axis=1), UNPAINTED).astype(np.uint8)
    cameras = np.where(on, 0, -1) if camera is None else np.array(camera)
    bits = np.where(on, P | V | flags, flags).astype(np.uint8)
    return PaintedFrame(scores, label, cameras.astype(np.int8), bits)


def drawn(seed: int, count: int = 3, points: int = 40, classes: int = 5) -> list[PaintedFrame]:
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        scores = draw.dirichlet(np.full(classes, 0.2), points).astype(np.float16)
        scores[draw.random(points) < 0.3] = 0
        found.append(frame(*map(tuple, scores.tolist())))
    return found


def exact(*rows: tuple[float, ...]) -> AnyArray:
    return np.array(rows, np.float16)


def test_rows_by_hand() -> None:
    one, other = frame((0.5, 0.5, 0.0), (0.25, 0.75, 0.0)), frame((0.25, 0.25, 0.5), (0.75, 0.25, 0.0))
    average = fuse_frames([one, other], "average")
    np.testing.assert_array_equal(average.scores, exact((0.375, 0.375, 0.25), (0.5, 0.5, 0)))
    assert average.label.tolist() == [0, 0]
    product = fuse_frames([one, other], "product")
    total = 0.125 + 0.125 + FLOOR * 0.5
    np.testing.assert_array_equal(product.scores[0], (np.array([0.125, 0.125, FLOOR * 0.5]) / total).astype(np.float16))
    np.testing.assert_allclose(product.scores[1], [0.5, 0.5, 0.0], atol=1e-7)
    chosen = fuse_frames([one, other], "per-class", [0, 1, 1])
    np.testing.assert_array_equal(chosen.scores, exact((0.5 / 1.25, 0.25 / 1.25, 0.5 / 1.25), (0.5, 0.5, 0)))


def test_a_point_that_one_layer_paints_keeps_its_bytes() -> None:
    odd = (0.3333, 0.3333, 0.3333)  # does not sum to 1 in float16: dividing would show
    one, other = frame(odd, (0, 0, 0), (0, 0, 0)), frame((0, 0, 0), odd, (0, 0, 0))
    rules: tuple[FusionRule, ...] = ("average", "product", "per-class")
    for rule in rules:
        fused = fuse_frames([one, other], rule, [1, 1, 1])
        assert fused.scores.tobytes() == exact(odd, odd, (0, 0, 0)).tobytes()
        assert fused.label.tolist() == [0, 0, UNPAINTED]
        assert (fused.flags & P).tolist() == [P, P, 0]


def test_contradicting_certainties_share_and_owners_without_mass_fall_back_to_the_average() -> None:
    one, other = frame((1.0, 0.0)), frame((0.0, 1.0))
    np.testing.assert_array_equal(fuse_frames([one, other], "product").scores, exact((0.5, 0.5)))
    np.testing.assert_array_equal(fuse_frames([one, other], "per-class", [1, 0]).scores, exact((0.5, 0.5)))


def test_an_owner_that_does_not_paint_the_point_is_stood_in_for_by_the_first_that_does() -> None:
    gone, first, second = frame((0.0, 0.0)), frame((0.25, 0.75)), frame((0.5, 0.5))
    fused = fuse_frames([gone, first, second], "per-class", [0, 2])
    np.testing.assert_allclose(fused.scores, [[1 / 3, 2 / 3]], atol=3e-4)


def test_camera_and_flags() -> None:
    seen = frame((1.0, 0.0), (0.0, 0.0), (0.0, 0.0), camera=(1, 1, -1), flags=int(Flag.OVERLAP))
    other = frame((0.5, 0.5), (0.5, 0.5), (0.5, 0.5), camera=(0, 0, -1), flags=int(Flag.OCCLUDED))
    fused = fuse_frames([seen, other], "average")
    assert fused.camera.tolist() == [1, 0, -1]  # second point: the layer that paints it, not the first that sees it
    assert (fused.flags == (P | V | Flag.OVERLAP | Flag.OCCLUDED)).all()
    assert fuse_frames([other, seen], "average").camera.tolist() == [0, 0, -1]
    neither = fuse_frames([frame((0, 0), camera=(-1,)), frame((0, 0), camera=(3,), flags=V)], "average")
    assert (neither.camera.tolist(), neither.flags.tolist(), neither.label.tolist()) == ([3], [V], [UNPAINTED])


def test_cameras_are_renumbered() -> None:
    found = renumbered(np.array([0, 1, -1, 1], np.int8), ("left", "front"), ("front", "left", "right"))
    assert found.tolist() == [1, 0, -1, 0]
    assert renumbered(np.array([-1], np.int8), (), ("front",)).tolist() == [-1]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["average", "product"]))
def test_no_order_matters_and_the_contract_is_kept(seed: int, rule: FusionRule) -> None:
    frames = drawn(seed)
    found = [fuse_frames(list(order), rule) for order in permutations(frames)]
    assert check_painted(found[0], 40, 5) == ""
    for other in found[1:]:
        assert other.scores.tobytes() == found[0].scores.tobytes()
        np.testing.assert_array_equal(other.label, found[0].label)
        np.testing.assert_array_equal(other.flags, found[0].flags)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_against_plain_numpy(seed: int) -> None:
    frames = drawn(seed, count=2)
    stack = np.stack([one.scores for one in frames]).astype(np.float64)
    both = (stack.sum(axis=2) > 0).all(axis=0)
    mean, product = stack.mean(axis=0), np.maximum(stack, FLOOR).prod(axis=0)
    picked = stack[[0, 1, 0, 1, 0], :, np.arange(5)].T
    picked[~picked.any(axis=1)] = mean[~picked.any(axis=1)]
    for rule, expected in {"average": mean, "product": product, "per-class": picked}.items():
        fused = fuse_frames(frames, rule, [0, 1, 0, 1, 0])  # type: ignore[arg-type]  # the keys are the rules
        assert check_painted(fused, 40, 5) == ""
        wanted = expected[both] / expected[both].sum(axis=1, keepdims=True)
        np.testing.assert_allclose(fused.scores[both], wanted, atol=3e-4)
    agreeing = fuse_frames([frames[0], frames[0]], "average").scores.astype(np.float32)
    np.testing.assert_allclose(agreeing, stack[0], atol=1e-3)


def test_what_does_not_fit_is_refused() -> None:
    two = frame((0.5, 0.5))
    with pytest.raises(ConfigError, match="two or more"):
        fuse_frames([two], "average")
    with pytest.raises(ConfigError, match="owners"):
        fuse_frames([two, two], "per-class", [0, 2])
    with pytest.raises(TaxonomyError, match="shapes"):
        fuse_frames([two, frame((0.5, 0.25, 0.25))], "average")
