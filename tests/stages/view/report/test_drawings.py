import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.view.report.curves import range_curves
from paintpipe.stages.view.report.matrix import confusion_matrix
from paintpipe.stages.view.report.numbers import format_duration, format_size, percent, rate, three_digits
from paintpipe.stages.view.report.reliability import Bin, read_bins, reliability_diagram

NASTY = '"><script>alert(1)</script>'


class Shapes(HTMLParser):
    """Elements with their attributes, and every text."""

    def __init__(self, drawing):
        super().__init__()
        self.shapes, self.texts = [], []
        self.feed(drawing)

    def handle_starttag(self, tag, attrs):
        self.shapes.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag, class_=None):
        return [attrs for name, attrs in self.shapes if name == tag and class_ in (None, attrs.get("class"))]


def test_a_curve_has_a_point_a_bin_and_a_gap_where_one_is_empty():
    whole = Shapes(range_curves([0, 10, 20, 30], {"a": [0.5, 0.25, 1.0]}, "mIoU"))
    (line,) = whole.all("path", "line")
    assert line["d"].count("M") == 1
    assert line["d"].count("L") == 2
    dots = [circle for circle in whole.all("circle") if circle["cx"] != "54"]
    assert len(dots) == 3
    heights = [float(dot["cy"]) for dot in dots]
    axis = [float(path["d"].split()[1].split("H")[0]) for path in whole.all("path", "axis")]
    zero, one = axis[0], axis[-1]
    assert heights == pytest.approx([zero + share * (one - zero) for share in (0.5, 0.25, 1.0)], abs=0.06)
    gap = Shapes(range_curves([0, 10, 20, 30], {"a": [0.5, None, 1.0]}, "mIoU"))
    assert gap.all("path", "line")[0]["d"].count("M") == 2
    assert "a: 0.500 around 5 m" in whole.texts


def test_layers_have_colours_of_their_own_and_a_key():
    shapes = Shapes(range_curves([0, 10], {"one": [0.1], NASTY: [None]}, "mIoU"))
    assert {NASTY, "one"} <= set(shapes.texts)
    assert {circle["style"] for circle in shapes.all("circle")} == {"fill:var(--c0)", "fill:var(--c1)"}
    assert not shapes.all("script")


@pytest.mark.parametrize(("edges", "curve"), [([0, 10, 20], [0.5]), ([0], []), ([0, 10], [0.1, 0.2])])
def test_curves_that_do_not_fit_their_bins_are_refused(edges, curve):
    with pytest.raises(ConfigError, match="range curves over"):
        range_curves(edges, {"x": curve}, "mIoU")


def test_the_matrix_tells_shares_of_the_true_class():
    drawing = confusion_matrix(np.array([[30, 10, 0], [0, 0, 0]]), ["car", NASTY], ["car", NASTY, "unpainted"], "m")
    shapes = Shapes(drawing)
    assert "car → car: 75.0%, 30 points" in shapes.texts
    assert f"car → {NASTY}: 25.0%, 10 points" in shapes.texts
    assert [float(cell["fill-opacity"]) for cell in shapes.all("rect", "cell")] == pytest.approx(
        [0.765, 0.295], abs=0.006
    )
    assert len(shapes.all("rect", "empty")) == 1
    assert "absent" in shapes.texts
    assert not shapes.all("script")
    words = {text["class"] for text in shapes.all("text") if text.get("class", "").startswith("small ")}
    assert words == {"small on", "small ink"}


def test_a_matrix_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="confusion matrix of shape"):
        confusion_matrix(np.zeros((2, 2), dtype=np.int64), ["a"], ["a", "b"], "m")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 4), st.integers(0, 2**40), st.text(max_size=30))
def test_any_matrix_is_drawn_within_its_own_size(size, most, name):
    counts = np.full((size, size), most, dtype=np.int64)
    drawing = confusion_matrix(counts, [name] * size, [name] * size, name)
    width, height = (float(value) for value in re.search(r'viewBox="0 0 (\S+) (\S+)"', drawing).groups())
    for cell in Shapes(drawing).all("rect"):
        assert float(cell["x"]) + float(cell["width"]) <= width
        assert float(cell["y"]) + float(cell["height"]) <= height + 0.01


def test_reliability_bars_reach_from_accuracy_to_confidence():
    rows = [
        {"above": 0.0, "up_to": 0.5, "points": 0, "confidence": None, "accuracy": None},
        {"above": 0.5, "up_to": 1.0, "points": 400, "confidence": 0.9, "accuracy": 0.6},
    ]
    (one,) = bins = read_bins(rows)
    assert (one.points, one.accuracy) == (400, 0.6)
    shapes = Shapes(reliability_diagram(bins, "r"))
    (bar,), (gap,) = shapes.all("rect", "cell"), shapes.all("rect", "gap")
    assert float(gap["height"]) / float(bar["height"]) == pytest.approx(0.5, abs=0.01)
    assert float(gap["y"]) + float(gap["height"]) == pytest.approx(float(bar["y"]), abs=0.02)
    assert any("60.0% right, mean score 90.0%, 400 points" in text for text in shapes.texts)
    assert not Shapes(reliability_diagram([], "r")).all("rect")


def test_the_gap_of_scores_that_promise_too_little_lies_above_its_bar():
    shapes = Shapes(reliability_diagram([Bin(0.0, 0.5, 10, 0.3, 0.9)], "r"))
    (bar,), (gap,) = shapes.all("rect", "cell"), shapes.all("rect", "gap")
    assert float(gap["height"]) / float(bar["height"]) == pytest.approx(2.0, abs=0.01)
    assert float(gap["y"]) + float(gap["height"]) == pytest.approx(float(bar["y"]), abs=0.02)


def test_numbers():
    assert [percent(0.1234), percent(None), three_digits(0.12345), three_digits(None)] == ["12.3 %", "–", "0.123", "–"]
    assert [format_size(950), format_size(5_600_000), format_size(1234)] == ["950 B", "5.6 MB", "1.23 kB"]
    assert [format_duration(7.76), format_duration(75.2), format_duration(7300)] == ["7.8 s", "1 min 15 s", "2 h 1 min"]
    assert [rate(0.7734), rate(33_700)] == ["0.773", "33.7 k"]
