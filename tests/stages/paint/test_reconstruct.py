"""What cameras said, rebuilt from full provenance and settled anew: the bytes of painting anew."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paint import make_sample

from paintpipe.schemas.errors import ConfigError, WorkspaceError
from paintpipe.schemas.painted import layer_arrays
from paintpipe.schemas.settings import Overlap, PaintSettings
from paintpipe.stages.paint.halves import as_stored, rounded_to_half
from paintpipe.stages.paint.overlap import merge_views
from paintpipe.stages.paint.reconstruct import rebuild_samples
from paintpipe.stages.paint.settle import settle_samples
from paintpipe.stages.paint.views import CameraSample

POINTS, CLASSES = 80, 5
RULES: tuple[Overlap, ...] = ("margin", "random", "mean", "max", "first")


def looks(seed: int, cameras: int = 3) -> list[CameraSample]:
    """Cameras of which at most two see a point; one pixel in eight has no class, scores are close to ties."""
    draw = np.random.default_rng(seed)
    pair = np.array([draw.permutation(cameras)[: draw.integers(0, 3)].tolist() for _ in range(POINTS)], dtype=object)
    samples = []
    for camera in range(cameras):
        index = np.array([point for point in range(POINTS) if camera in pair[point]], np.int32)
        scores = draw.dirichlet(np.full(CLASSES, 2.0), len(index)).astype(np.float32)
        painted = draw.random(len(index)) > 0.125
        samples.append(make_sample(camera, index, scores, painted, dt_us=int(draw.integers(0, 3))))
    return samples


def settle(samples: list[CameraSample], rule: Overlap) -> dict[str, bytes]:
    frame = merge_views(POINTS, CLASSES, as_stored(samples), PaintSettings(overlap=rule, provenance="full"), "00/7")
    return {name: array.tobytes() for name, array in layer_arrays(frame).items()}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["margin", "random", "first"]), st.sampled_from(RULES))
def test_settled_anew_is_painted_anew_bit_for_bit(seed: int, painted_by: Overlap, rule: Overlap) -> None:
    samples = looks(seed)
    settings_then = PaintSettings(overlap=painted_by, provenance="full")
    stored = merge_views(POINTS, CLASSES, as_stored(samples), settings_then, "00/7")
    rebuilt = rebuild_samples(stored, [sample.view for sample in samples], "00/7")
    assert settle(rebuilt, rule) == settle(samples, rule)


@pytest.mark.parametrize("rule", RULES)
def test_one_camera_settled_anew_is_painted_anew_bit_for_bit(rule: Overlap) -> None:
    """A blend of one camera divides by a sum as well: by that of the scores as stored, for repaint has no others."""
    points, draw = np.zeros((POINTS, 3), np.float32), np.random.default_rng(7)
    samples = [make_sample(0, np.arange(POINTS), draw.dirichlet(np.full(CLASSES, 2.0), POINTS))]
    then = PaintSettings(overlap="first", occlusion="off", provenance="full")
    stored = settle_samples(points, samples, CLASSES, then, "00/7")
    rebuilt = rebuild_samples(stored, [samples[0].view], "00/7")
    now = replace(then, overlap=rule)
    anew, again = (layer_arrays(settle_samples(points, each, CLASSES, now, "00/7")) for each in (samples, rebuilt))
    for name, array in anew.items():
        assert again[name].tobytes() == array.tobytes(), name


def test_a_camera_whose_image_was_lost_is_left_out() -> None:
    samples = looks(1)
    stored = merge_views(POINTS, CLASSES, as_stored(samples[:2]), PaintSettings(provenance="full"), "00/7")
    rebuilt = rebuild_samples(stored, [sample.view for sample in samples], "00/7")
    assert [sample.view.camera for sample in rebuilt] == [0, 1]
    assert settle(rebuilt, "first") == settle(samples[:2], "first")


def test_a_third_camera_is_an_error_that_counts_its_points() -> None:
    flat = np.full((4, CLASSES), 1 / CLASSES)
    seen = {0: [0, 1, 2, 3], 1: [1, 2], 2: [0, 2]}  # point 2 by all three
    samples = [make_sample(camera, index, flat[: len(index)]) for camera, index in seen.items()]
    stored = merge_views(4, CLASSES, samples, PaintSettings(provenance="full"), "00/7")
    with pytest.raises(ConfigError, match=r"^00/7: 1 points are seen by three cameras or more"):
        rebuild_samples(stored, [sample.view for sample in samples], "00/7")


def test_a_third_camera_that_no_point_names_is_an_error_too() -> None:
    """It is the least sure wherever it looks, so that two others are stored for each of its points."""
    rows = np.array([[0.9, 0.025, 0.025, 0.025, 0.025], [0.6, 0.1, 0.1, 0.1, 0.1], [0.2] * 5])
    seen = ([0, 1, 2], [0, 1, 2, 3], [1, 2])
    samples = [make_sample(camera, index, rows[[camera] * len(index)]) for camera, index in enumerate(seen)]
    stored = merge_views(4, CLASSES, as_stored(samples), PaintSettings(provenance="full"), "00/7")
    with pytest.raises(ConfigError, match=r"^00/7: 2 points are seen by three cameras or more"):
        rebuild_samples(stored, [sample.view for sample in samples], "00/7")


def test_min_provenance_is_not_enough() -> None:
    stored = merge_views(POINTS, CLASSES, looks(2), PaintSettings(), "00/7")
    with pytest.raises(WorkspaceError, match="no full provenance"):
        rebuild_samples(stored, [], "00/7")


def test_another_calibration_than_at_painting_is_noticed() -> None:
    samples = looks(3)
    stored = merge_views(POINTS, CLASSES, as_stored(samples), PaintSettings(provenance="full"), "00/7")
    views = [sample.view for sample in samples]
    projected = views[1].projected
    moved = replace(projected, u_px=np.nextafter(projected.u_px, np.float32(np.inf)))
    fewer = make_sample(1, projected.index[:-1], samples[1].scores[:-1]).view
    for other in (replace(views[1], projected=moved), fewer):
        with pytest.raises(WorkspaceError, match="calibration have changed"):
            rebuild_samples(stored, [views[0], other, views[2]], "00/7")


def test_rounding_is_numpys() -> None:
    draw = np.random.default_rng(0)
    steps = np.arange(4000, dtype=np.float32).reshape(200, 20) * np.float32(2**-26)
    ties = (1.0 + np.arange(2000, dtype=np.float32).reshape(100, 20) * np.float32(2**-11)) / 4
    for values in (draw.random((500, 20), np.float32) ** 9, steps, ties, np.array([[0.0, 1.0]], np.float32)):
        np.testing.assert_array_equal(rounded_to_half(values), values.astype(np.float16).astype(np.float32))
