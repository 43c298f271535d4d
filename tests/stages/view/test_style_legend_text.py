import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from support.view import BLUE, GREEN, RED, has_color, make_taxonomy

from paintpipe.schemas.errors import TaxonomyError
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.view.legend import legend, present_labels
from paintpipe.stages.view.style import UNPAINTED_POINT, UNPAINTED_RING, display_palette
from paintpipe.stages.view.text import ELLIPSIS, clean, fit, font


def test_bright_colours_stay_and_dark_ones_are_lifted_apart():
    published = ((128, 200, 128), (0, 0, 142), (0, 0, 70), (0, 0, 0))
    shown = display_palette(Taxonomy("t", ("a", "b", "c", "d"), published))
    assert tuple(shown[0]) == (128, 200, 128)
    luma = shown[:4] @ np.array([0.299, 0.587, 0.114])
    assert luma.min() > 90
    assert tuple(shown[3]) == (115, 115, 115)  # 0.45 of the way to white
    assert len({tuple(color) for color in shown[:4].tolist()}) == 4
    assert shown[1].argmax() == 2
    assert tuple(shown[255]) == UNPAINTED_POINT


def test_legend_shows_only_present_classes():
    key = legend(make_taxonomy(), [2, 0, 2], 400)
    assert key.shape == (28, 400, 3)
    assert key.dtype == np.uint8
    assert has_color(key, RED)
    assert has_color(key, BLUE)
    assert not has_color(key, GREEN)
    assert not has_color(key, UNPAINTED_RING)


def test_legend_is_in_the_taxonomys_order():
    key = legend(make_taxonomy(), [2, 1, 0], 600)
    first = [int(np.argmax((key == np.array(color)).all(axis=2).any(axis=0))) for color in (RED, GREEN, BLUE)]
    assert first == sorted(first)
    assert len(set(first)) == 3


def test_legend_marks_unpainted_as_hollow():
    key = legend(make_taxonomy(), [255], 300)
    assert tuple(key[14, 8]) != UNPAINTED_RING
    assert tuple(key[14, 0]) == UNPAINTED_RING


def test_legend_wraps_into_rows_and_cuts_long_names():
    taxonomy = make_taxonomy("a" * 500, "straße 道路 🚗", "c")
    wide, narrow = legend(taxonomy, [0, 1, 2], 1000), legend(taxonomy, [0, 1, 2], 60)
    assert wide.shape[1] == 1000
    assert narrow.shape == (3 * 28, 60, 3)
    assert legend(taxonomy, [], 200).shape == (28, 200, 3)


def test_legend_refuses_a_label_outside_the_taxonomy():
    with pytest.raises(TaxonomyError, match="label 3 is no class of three; expected 0 to 2"):
        legend(make_taxonomy(), [3], 200)


@settings(max_examples=30, deadline=None)
@given(
    st.sets(st.sampled_from([0, 1, 2, 255])),
    st.integers(1, 900),
    st.lists(st.text(max_size=40), min_size=3, max_size=3),
)
def test_legend_keeps_its_width_whatever_the_names(present, width_px, names):
    key = legend(make_taxonomy(*names), sorted(present), width_px)
    assert key.shape[1] == width_px
    assert key.shape[0] % 28 == 0


def test_present_labels_counts_every_array():
    first, second = np.array([[3, 3], [1, 255]], dtype=np.uint8), np.array([7], dtype=np.uint8)
    assert present_labels(first, second) == (1, 3, 7, 255)
    assert present_labels() == ()
    assert present_labels(np.zeros(0, dtype=np.uint8)) == ()


def test_clean_leaves_one_drawable_line():
    assert clean("a\nb\x00c") == "a b c"
    assert clean("Straße Ωμέγα") == "Straße Ωμέγα"
    assert clean("道") == "□"
    assert clean("\ud800") == " "


@given(st.text(max_size=60), st.integers(0, 300))
def test_fit_never_runs_over(text, width_px):
    line = fit(text, 14, width_px)
    assert font(14).getlength(line) <= width_px
    assert line in {clean(text), ""} or line.endswith(ELLIPSIS)
