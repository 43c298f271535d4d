"""Which score columns an export has."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.export import ExportSettings
from paintpipe.stages.export.columns import score_columns
from paintpipe.stages.taxonomies.load import load_taxonomy

DET4 = load_taxonomy("kitti-det4")
SCORES = np.array([[0.5, 0.25, 0.125, 0.125], [0.0, 0.0, 0.25, 0.75]], dtype=np.float32)


def columns_of(**settings: Any) -> tuple[tuple[str, ...], list[list[float]]]:
    columns = score_columns(DET4, ExportSettings(**{"background": "keep", **settings}))
    return columns.names, columns.of(SCORES).tolist()


def test_all_of_the_taxonomy_with_and_without_background() -> None:
    assert columns_of() == (("car", "pedestrian", "cyclist", "background"), SCORES.tolist())
    assert columns_of(background="drop") == (("car", "pedestrian", "cyclist"), SCORES[:, :3].tolist())


def test_named_classes_come_in_the_order_named_background_among_them() -> None:
    names, columns = columns_of(classes=("background", "car"), background="drop")
    assert names == ("background", "car")
    assert columns == [[0.125, 0.5], [0.75, 0.0]]


def test_one_hot_of_the_best_of_all_classes_and_padding_behind() -> None:
    names, columns = columns_of(background="drop", one_hot=True, pad_channels=5)
    assert names == ("car", "pedestrian", "cyclist", "pad0", "pad1")
    assert columns == [[1.0, 0, 0, 0, 0], [0.0, 0, 0, 0, 0]]  # the second point's best is the background


def test_other_counts_as_background() -> None:
    other = load_taxonomy("semantickitti19+other")
    assert score_columns(other, ExportSettings(background="drop")).names == load_taxonomy("semantickitti19").classes
    assert score_columns(other, ExportSettings(background="keep")).names[-1] == "other"


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"classes": ("car", "tram")}, "no class 'tram' in kitti-det4; expected some of car, pedestrian"),
        ({"classes": ("car", "car")}, "named twice"),
        ({"pad_channels": 3}, "4 score columns, and --pad-channels 3; expected at least 4"),
    ],
)
def test_columns_that_can_not_be(settings: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        columns_of(**settings)


@given(st.permutations(DET4.classes), st.integers(0, 4), st.booleans())
def test_columns_are_the_scores_of_their_names(names: list[str], kept: int, one_hot: bool) -> None:
    chosen = tuple(names[:kept]) or DET4.classes
    columns = score_columns(DET4, ExportSettings(classes=chosen, one_hot=one_hot, pad_channels=6))
    table = columns.of(SCORES)
    wanted = np.eye(4, dtype=np.float32)[SCORES.argmax(axis=1)] if one_hot else SCORES
    for column, name in enumerate(columns.names):
        assert (table[:, column] == (wanted[:, DET4.classes.index(name)] if column < len(chosen) else 0)).all()
