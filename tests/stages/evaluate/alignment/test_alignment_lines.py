"""Scan lines and the depth jumps along and across them."""

import numpy as np
import pytest
from support.alignment import BOX_M, BOXES, sweep

from paintpipe.stages.evaluate.alignment.jumps import depth_jumps
from paintpipe.stages.evaluate.alignment.lines import scan_lines

XYZI = ("x", "y", "z", "intensity")


def test_lines_are_found_in_a_file_that_lists_them_one_by_one() -> None:
    lines = scan_lines(sweep(lines=12, columns=360), XYZI)
    np.testing.assert_array_equal(np.diff(lines.starts), 360)
    assert lines.step_rad == pytest.approx(np.deg2rad(1.0), rel=1e-3)
    assert lines.spacing_rad == pytest.approx(np.deg2rad(16.0 / 11), rel=1e-3)


def test_lines_of_a_file_in_columns_come_from_the_ring_or_from_elevation() -> None:
    plain = sweep(lines=12, columns=360)
    ring = np.repeat(np.arange(12.0), 360).astype(np.float32)
    columns = np.arange(12 * 360).reshape(12, 360).T.reshape(-1)
    named = scan_lines(np.column_stack([plain, ring])[columns], (*XYZI, "ring"))
    guessed = scan_lines(plain[columns], XYZI)
    np.testing.assert_array_equal(np.diff(named.starts), 360)
    np.testing.assert_array_equal(np.diff(guessed.starts), 360)


def test_a_clockwise_sweep_has_the_same_lines() -> None:
    mirrored = sweep(lines=12, columns=360) * np.array([1, -1, 1, 1], np.float32)
    np.testing.assert_array_equal(np.diff(scan_lines(mirrored, XYZI).starts), 360)


def test_what_is_no_point_or_belongs_to_the_car_is_left_out() -> None:
    points = sweep(lines=12, columns=360)
    points[5] = np.nan
    points[6, 0] = np.inf
    points[7, :3] = 0.0
    points[9, :3] = (1.0, 1.0, 0.5)
    assert len(scan_lines(points, XYZI)) == 12 * 360 - 4
    assert len(depth_jumps(points, XYZI)) > 0


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_sweep_of_hardly_any_points_has_no_jumps(count: int) -> None:
    assert len(depth_jumps(sweep()[:count], XYZI)) == 0
    assert len(depth_jumps(np.full((count, 4), np.nan, np.float32), XYZI)) == 0


def test_jumps_lie_on_the_rims_of_the_boxes_at_the_boxes_range() -> None:
    jumps = depth_jumps(sweep(), XYZI)
    y, z = (BOX_M * jumps.points_m[:, axis] / jumps.points_m[:, 0] for axis in (1, 2))
    half = BOX_M * np.deg2rad([0.1, 16 / 120 / 2])  # half a step along and across the lines
    sides, lids = np.zeros(len(jumps), bool), np.zeros(len(jumps), bool)
    for left, right, bottom, top in BOXES:
        inside_y, inside_z = (y > left - 0.05) & (y < right + 0.05), (z > bottom - 0.1) & (z < top + 0.1)
        sides |= inside_z & ((np.abs(y - left) < 1.1 * half[0]) | (np.abs(y - right) < 1.1 * half[0]))
        lids |= inside_y & ((np.abs(z - bottom) < 1.1 * half[1]) | (np.abs(z - top) < 1.1 * half[1]))
    along = jumps.across == 0
    assert along.sum() > 150
    assert (~along).sum() > 80
    assert (sides | lids).all()
    assert sides[along].mean() > 0.9  # a line bends across a flat face and may leave it by the lid
    assert lids[~along].mean() > 0.9
    np.testing.assert_allclose(jumps.points_m[:, 0], BOX_M, rtol=0.02)


def test_flat_ground_has_no_jumps_however_flat_the_rays() -> None:
    elevation = np.deg2rad(np.linspace(-2.0, -24.0, 40))[:, None]
    azimuth = 2 * np.pi * np.arange(900)[None, :] / 900
    reach = -1.7 / np.sin(elevation)
    parts = [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation) + 0 * azimuth]
    points = (np.stack(parts, -1) * reach[..., None]).reshape(-1, 3).astype(np.float32)
    assert reach.max() > 45
    assert len(depth_jumps(points, ("x", "y", "z"))) == 0
