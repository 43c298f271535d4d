"""Model cards: strict reading, clear refusals, and a way back to text."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.segment import make_card

from paintpipe.schemas.errors import ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.card import card_to_toml, load_card

LEAST = 'name = "n"\narchitecture = "onnx"\ntaxonomy = "t"\n'


def test_toml_text_file_and_json_say_the_same(tmp_path: Path) -> None:
    card = make_card(mean=(0.1, 0.2, 0.3), input_size_px=(64, 96), resize="fixed", drop_channels=(1, 3))
    (tmp_path / "a.toml").write_text(card_to_toml(card), encoding="utf-8")
    (tmp_path / "a.json").write_text(json.dumps(asdict(card)), encoding="utf-8")
    assert load_card(card_to_toml(card)) == card
    assert load_card(tmp_path / "a.toml") == card
    assert load_card(str(tmp_path / "a.json")) == card


@given(
    st.text(st.characters(blacklist_categories=("Cs",))),
    st.floats(1e-6, 10),
    st.dictionaries(st.text(min_size=1, max_size=5), st.integers(-5, 5) | st.booleans() | st.text(max_size=3)),
)
def test_any_card_comes_back_from_its_text(notes: str, scale: float, options: dict[str, object]) -> None:
    card = make_card(notes=notes, input_scale=scale, architecture_options=options)
    assert load_card(card_to_toml(card)) == card


def test_defaults_fill_what_a_card_leaves_out() -> None:
    assert load_card(LEAST) == ModelCard(name="n", architecture="onnx", taxonomy="t")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("colour = 3", "unknown keys colour.*expected keys among name, architecture"),
        ("mean = [1, 2]", "mean is .*list of 3 numbers"),
        ('mean = [1, 2, "x"]', "mean holds 'x'"),
        ("std = [1.0, 0.0, 1.0]", "not positive"),
        ("mean = [nan, 0.0, 0.0]", "mean holds nan"),
        ('resize = "stretch"', "resize is 'stretch'; expected one of multiple, fixed, pad"),
        ('resize = "fixed"', "expected input_size_px"),
        ("stride_px = 8.5", "stride_px holds 8.5; expected a whole number"),
        ("stride_px = true", "stride_px holds True"),
        ("align_corners = 1", "expected true or false"),
        ("licence = 3", "licence is 3; expected a string"),
        ("architecture_options = 3", "expected a table"),
        ("multiple_px = 0", "not positive"),
        ("drop_channels = [-1]", "not positive"),
        ('weights = "../up.pth"', "name of a file beside the card"),
        ("mean = ", "neither TOML nor JSON"),
        ("mean = " + "[" * 3000, "neither TOML nor JSON"),
        ("stride_px = " + "9" * 5000, "neither TOML nor JSON"),
    ],
)
def test_what_no_card_says_is_refused_by_name(line: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load_card(LEAST + line + "\n")


def test_missing_keys_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="keys are missing: architecture, taxonomy"):
        load_card('name = "n"\n')
    with pytest.raises(ModelError, match=r"nowhere\.toml: the model card can't be read"):
        load_card(tmp_path / "nowhere.toml")
