import subprocess
import sys

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from support.view import GREEN, RED, has_color

from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.view.chart_parts import count_text
from paintpipe.stages.view.charts import class_bars, confusion_chart

ABSENT = (236, 238, 241)
ODD_NAMES = ["$x_1", "<b>道路</b>", "_" + "long " * 60, "line\nbreak", ""]


def blues(share):
    """The colour of a cell of the confusion chart."""
    from matplotlib import colormaps

    return tuple(int(channel) for channel in colormaps["Blues"](share / 1.15, bytes=True)[:3])


def test_confusion_is_normalised_by_row():
    picture = confusion_chart(np.array([[30, 10], [0, 2]]), ["car", "road"], "t")
    for share in (0.75, 0.25, 0.0, 1.0):
        assert has_color(picture, blues(share)), share
    assert not has_color(picture, ABSENT)
    scaled = confusion_chart(np.array([[30, 10], [0, 2]], dtype=np.int64) * [[1], [1]], ["car", "road"], "t")
    np.testing.assert_array_equal(picture, scaled)


def test_an_absent_class_is_grey():
    picture = confusion_chart(np.array([[3, 0], [0, 0]]), ["car", "road"], "t")
    assert has_color(picture, ABSENT)


def test_rows_are_the_truth():
    rows, columns = (confusion_chart(np.array(m), ["a", "b"], "") for m in ([[5, 5], [0, 9]], [[5, 0], [5, 9]]))
    half = np.array(blues(0.5))
    upper, lower = (np.argwhere((picture == half).all(axis=2)) for picture in (rows, columns))
    assert np.ptp(upper[:, 1]) > 1.5 * np.ptp(upper[:, 0])  # 50 and 50 lie beside each other in row a
    assert np.argwhere((columns == np.array(blues(5 / 14))).all(axis=2))[:, 0].min() > 0
    assert lower.size == 0


def test_a_column_for_unpainted_points_may_be_added():
    wide = confusion_chart(np.array([[1, 0, 3], [0, 2, 0]]), ["a", "b"], "t")
    assert has_color(wide, blues(0.75))


@pytest.mark.parametrize("shape", [(2, 4), (3, 3), (0, 0), (2,)])
def test_a_matrix_that_does_not_fit_is_refused(shape):
    with pytest.raises(ConfigError, match="confusion matrix of shape"):
        confusion_chart(np.ones(shape), ["a", "b"], "t")


def test_bars_are_as_long_as_their_value_and_absent_ones_grey():
    picture = class_bars(["a", "b", "c"], [0.8, 0.4, float("nan")], [RED, GREEN, (9, 9, 200)], "t")

    def length(color):
        return np.ptp(np.argwhere((picture == np.array(color)).all(axis=2))[:, 1])

    assert length(RED) == pytest.approx(2 * length(GREEN), abs=4)
    assert not has_color(picture, (9, 9, 200))
    assert has_color(picture, ABSENT)
    top = [np.argwhere((picture == np.array(color)).all(axis=2))[:, 0].mean() for color in (RED, GREEN)]
    assert top[0] < top[1]


def test_bars_refuse_lengths_that_differ():
    with pytest.raises(ConfigError, match="2 names, 1 values and 2 colours"):
        class_bars(["a", "b"], [0.1], [RED, GREEN], "t")


def test_odd_names_and_titles_are_drawn_without_a_warning():
    size = len(ODD_NAMES)
    for title in ("$\\frac{", "道" * 300):
        charts = [
            confusion_chart(np.eye(size), ODD_NAMES, title),
            class_bars(ODD_NAMES, [0.5] * size, [RED] * size, title),
        ]
        for chart in charts:
            assert chart.shape[2] == 3
            assert (chart < 128).mean() > 0.005


@settings(max_examples=6, deadline=None)
@given(hnp.arrays(np.int64, (3, 3), elements=st.integers(0, 2**53)))
def test_any_counts_make_a_chart(matrix):
    assert confusion_chart(matrix, ["a", "b", "c"], "t").ndim == 3


def test_no_class_makes_an_empty_bar_chart():
    assert class_bars([], [], [], "nothing").shape[2] == 3


def test_pyplot_stays_unloaded():
    code = "from paintpipe.stages.view.charts import class_bars; import sys; "
    code += "class_bars(['a'], [0.5], [(255, 0, 0)], 't'); sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("value", "words"), [(12, "12"), (999, "999"), (1234, "1.23 k"), (713_000, "713 k"), (5.6e6, "5.6 M"), (1e9, "1 G")]
)
def test_counts_are_short(value, words):
    assert count_text(value) == words
