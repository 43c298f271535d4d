import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paintpipe.schemas.geometry import se3_from_quaternion
from paintpipe.stages.ingest.quaternion import quaternion_from_rotation

PART = st.floats(-1, 1)


@given(st.tuples(PART, PART, PART, PART).filter(lambda q: sum(part * part for part in q) > 0.01))
def test_there_and_back(quaternion) -> None:
    rotation = se3_from_quaternion(quaternion, (0.0, 0.0, 0.0))[:3, :3]
    found = quaternion_from_rotation(rotation)
    assert found[0] >= 0
    assert np.linalg.norm(found) == pytest.approx(1)
    np.testing.assert_allclose(se3_from_quaternion(found.tolist(), (0.0, 0.0, 0.0))[:3, :3], rotation, atol=1e-9)


def test_quarter_turns_by_hand() -> None:
    half = np.sqrt(0.5)
    about_z = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    about_x = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    np.testing.assert_allclose(quaternion_from_rotation(about_z), [half, 0, 0, half], atol=1e-12)
    np.testing.assert_allclose(quaternion_from_rotation(about_x), [half, half, 0, 0], atol=1e-12)
    np.testing.assert_allclose(quaternion_from_rotation(about_z + 1e-4), [half, 0, 0, half], atol=2e-4)
