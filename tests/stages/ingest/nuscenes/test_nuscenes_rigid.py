"""The inverse of rigid transforms against a general one."""

import numpy as np

from paintpipe.stages.ingest.nuscenes.poses import invert_rigid, normalised, se3_batch


def test_a_rigid_inverse_is_the_inverse() -> None:
    rng = np.random.default_rng(0)
    quaternions = normalised(rng.standard_normal((50, 4)))
    there = se3_batch(quaternions, rng.uniform(-2000, 2000, (50, 3)))
    both = there @ se3_batch(normalised(rng.standard_normal((50, 4))), rng.uniform(-2, 2, (50, 3)))
    np.testing.assert_allclose(invert_rigid(both), np.linalg.inv(both), atol=1e-9)
    np.testing.assert_allclose(invert_rigid(both) @ both, np.broadcast_to(np.eye(4), (50, 4, 4)), atol=1e-12 * 2000)
