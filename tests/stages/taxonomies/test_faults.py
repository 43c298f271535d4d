"""Data files with mistakes in them."""

from typing import Any

import pytest

from paintpipe.schemas.errors import TaxonomyError
from paintpipe.stages.taxonomies.assemble import assemble_mapping
from paintpipe.stages.taxonomies.load import load_taxonomy
from paintpipe.stages.taxonomies.parse import parse_taxonomy

GOOD = """
name = "two"
source = "here"
background = "rest"
classes = [
    { name = "car", color_rgb = [1, 2, 3], raw_ids = [10, 252], aliases = ["Car"] },
    { name = "rest", color_rgb = [0, 0, 0] },
]
"""


def test_a_taxonomy_is_read_as_written() -> None:
    taxonomy = parse_taxonomy(GOOD, "two.toml")
    assert (taxonomy.name, taxonomy.classes, taxonomy.background) == ("two", ("car", "rest"), "rest")
    assert taxonomy.raw_ids == {10: 0, 252: 0}
    assert taxonomy.index("Car") == 0


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"rest", color', '"car", color', "comes twice"),
        ("[10, 252]", "[10, 10]", "raw id belongs to two"),
        ('["Car"]', '["rest"]', "alias is also a class"),
        ('["Car"]', '["Car", "Car"]', "alias belongs to two"),
        ("[1, 2, 3]", "[1, 2, 300]", "outside 0 … 255"),
        ("[1, 2, 3]", "[1, 2]", "not a taxonomy"),
        ('background = "rest"', 'background = "sky"', "'sky' is no class"),
        ('source = "here"', "", "not a taxonomy: 'source'"),
        ('name = "two"', "name = ", "not a taxonomy"),
    ],
)
def test_a_taxonomy_that_contradicts_itself_is_refused(old: str, new: str, complaint: str) -> None:
    with pytest.raises(TaxonomyError, match=complaint) as caught:
        parse_taxonomy(GOOD.replace(old, new), "two.toml")
    assert str(caught.value).startswith("two.toml: ")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"sky": None}, "'sky' goes nowhere"),
        ({"sky": "heaven"}, "heaven is no class of kitti-det4"),
        ({"sky": {"background": 0.4, "car": 0.4}}, "weights of sky do not sum to 1"),
        ({"sky": {"background": 1.5, "car": -0.5}}, "weights of sky do not sum to 1"),
    ],
)
def test_a_mapping_with_a_bad_row_is_refused(change: dict[str, Any], complaint: str) -> None:
    source, target = load_taxonomy("synthetic"), load_taxonomy("kitti-det4")
    rows = {
        name: goes_to for name, goes_to in (dict.fromkeys(source.classes, "background") | change).items() if goes_to
    }
    with pytest.raises(TaxonomyError, match=complaint):
        assemble_mapping(source, target, {"classes": rows, "origin": "here"}, "mapping.toml")


def test_weights_may_be_split_and_other_becomes_the_background() -> None:
    source, target = load_taxonomy("synthetic"), load_taxonomy("kitti-det4")
    rows = dict.fromkeys(source.classes, "other") | {"cyclist": {"cyclist": 0.75, "pedestrian": 0.25}}
    mapping = assemble_mapping(source, target, {"classes": rows, "origin": "here"}, "mapping.toml")
    assert mapping.target is target
    assert mapping.matrix[source.classes.index("sky")].tolist() == [0, 0, 0, 1]
    assert mapping.matrix[source.classes.index("cyclist")].tolist() == [0, 0.25, 0.75, 0]


def test_the_cyclist_rule_needs_a_rider() -> None:
    source, target = load_taxonomy("synthetic"), load_taxonomy("kitti-det4")
    data = {"classes": dict.fromkeys(source.classes, "background"), "origin": "here", "cyclist_rule": True}
    with pytest.raises(TaxonomyError, match="cyclist rule needs bicycle and rider"):
        assemble_mapping(source, target, data, "mapping.toml")
