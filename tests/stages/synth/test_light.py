import numpy as np
import pytest

from paintpipe.schemas.geometry import se3
from paintpipe.stages.synth.noise import cell_noise, cloud_noise, value_noise
from paintpipe.stages.synth.populate import build_world
from paintpipe.stages.synth.primitives import BLOCK, FACADE, PLAIN, ROUND, TYRE, Primitive, along, place, stack, upright
from paintpipe.stages.synth.settings import BUILDING
from paintpipe.stages.synth.shade import sunlit, surface
from paintpipe.stages.synth.sun import Weather, cast_light

UP = np.array([0.0, 0.0, 1.0])


def tower(texture: int = PLAIN) -> Primitive:
    return Primitive(BLOCK, BUILDING, (0.5, 0.4, 0.3), upright((0.0, 0.0, 5.0), (2.0, 2.0, 5.0)), texture=texture)


def test_a_tower_s_shadow_falls_away_from_the_sun() -> None:
    # the sun stands at 45 degrees in +x, so a tower of 10 m throws a shadow of 10 m towards -x
    weather = Weather(np.array([1.0, 0.0, 1.0]) / np.sqrt(2), np.ones(3), np.ones(3), np.ones(3), 500.0)
    light = cast_light(weather, stack([tower()], [0]), np.zeros(3))
    for x_m, expected in ((-4.0, 0.0), (-11.0, 0.0), (-13.0, 1.0), (4.0, 1.0)):
        assert sunlit(light, np.array([x_m, 0.0, 0.0]), UP) == pytest.approx(expected), x_m
    assert sunlit(light, np.array([-4.0, 3.0, 0.0]), UP) == pytest.approx(1.0)
    # its own sunny wall and roof are not in their own shadow, and far off nothing is
    assert sunlit(light, np.array([2.0, 0.0, 5.0]), np.array([1.0, 0.0, 0.0])) == pytest.approx(1.0)
    assert sunlit(light, np.array([0.0, 0.0, 10.0]), UP) == pytest.approx(1.0)
    assert sunlit(light, np.array([-500.0, 0.0, 0.0]), UP) == 1.0


def test_normals_of_placed_solids_are_unit_and_face_out() -> None:
    street = build_world([1], 1.0).street
    pose = se3(np.array([[0, -1.0, 0], [1.0, 0, 0], [0, 0, 1.0]]), [10.0, 20.0, 0.0])
    rod = Primitive(ROUND, BUILDING, (0.5, 0.5, 0.5), along((0, 0, 0), (3.0, 0, 0), 0.2), texture=TYRE)
    solids = place(stack([tower(FACADE), rod], [0, 0]), pose[None])
    color, normal = np.zeros(3), np.zeros(3)
    surface(0, np.array([10.0, 22.0, 5.0]), solids, street, color, normal)
    assert normal == pytest.approx([0.0, 1.0, 0.0])
    surface(1, np.array([10.0, 21.0, 0.2]), solids, street, color, normal)
    assert normal == pytest.approx([0.0, 0.0, 1.0], abs=1e-9)
    assert (color > 0).all()


def test_noise_is_bounded_smooth_and_the_same_every_time() -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform(-50, 50, (300, 3))
    for noise in (value_noise, cloud_noise, cell_noise):
        values = np.array([noise(*place) for place in places])
        assert (values >= 0).all()
        assert (values < 1).all()
        assert values.std() > 0.08
    steps = [abs(value_noise(*place) - value_noise(*(place + 1e-4))) for place in places]
    assert max(steps) < 2e-3
    assert cell_noise(1.2, 3.4, 5.6) == cell_noise(1.9, 3.1, 5.5)
