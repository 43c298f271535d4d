"""The arrays of a painted frame, by their names in the store."""

from support.painted import make_frame

from paintpipe.schemas.painted import layer_arrays, layer_specs


def test_arrays_carry_the_names_of_the_specs() -> None:
    assert list(layer_arrays(make_frame())) == [spec.name for spec in layer_specs("min")]
