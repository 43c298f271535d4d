"""Tallies as tables."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from support.evaluate import counts, make_frame

from paintpipe.schemas import tables as schemas
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.evaluate.images_tables import images_table
from paintpipe.stages.evaluate.points_tables import ScoredLayer, points_tables, rules_for
from paintpipe.stages.evaluate.tables import side_by_side
from paintpipe.stages.taxonomies.load import load_taxonomy

THREE = Taxonomy("three", ("a", "b", "c"), ((0, 0, 0),) * 3)
NUSCENES = Taxonomy("nuscenes16", ("a", "b", "c"), ((0, 0, 0),) * 3)


def layer(name: str = "net", taxonomy: Taxonomy = THREE, **more: Any) -> ScoredLayer:
    return ScoredLayer(name, taxonomy, cameras=("left", "right"), **more)


def rows(table: pa.Table, **where: Any) -> list[dict[str, Any]]:
    return [row for row in table.to_pylist() if all(row[key] == value for key, value in where.items())]


def test_each_dataset_has_its_own_rule_and_others_have_both() -> None:
    assert rules_for(load_taxonomy("semantickitti19")) == ("semantickitti",)
    assert rules_for(load_taxonomy("nuscenes16")) == ("nuscenes",)
    assert rules_for(load_taxonomy("synthetic")) == ("semantickitti", "nuscenes")


def test_tables_have_their_schemas_even_when_empty() -> None:
    made = points_tables(make_frame().tally(), layer())
    names = {"summary", "classes", "coverage", "ranges", "cameras", "edges", "occlusion", "confusion"}
    assert made.keys() == names
    for name in names:
        assert made[name].schema.equals(getattr(schemas, name.upper()))
    empty = make_frame(
        **{key: getattr(make_frame(), key)[:0] for key in ("points", "labels", "truth", "camera", "flags")}
    )
    bare = points_tables(empty.tally(), layer())
    assert bare["cameras"].schema.equals(schemas.CAMERAS)
    assert bare["coverage"].to_pylist()[0]["painted"] is None
    assert rows(bare["summary"], subset="all points", rule="semantickitti")[0]["miou"] is None


def test_the_summary_keeps_all_points_and_points_in_view_apart() -> None:
    frame = make_frame(labels=np.array([0, 0, 1, 2, 255], np.uint8), flags=np.array([3, 3, 3, 3, 0], np.uint8))
    made = points_tables(frame.tally(), layer(tta="flip"))["summary"]
    whole = rows(made, subset="all points", rule="semantickitti")[0]
    assert whole["miou"] == pytest.approx((1 + 0.5 + 0) / 3)
    assert (whole["accuracy"], whole["coverage"], whole["num_points"]) == (0.6, 0.8, 5)
    assert whole["rule_accuracy"] == pytest.approx(0.75)
    assert (whole["tta"], whole["fill"]) == ("flip", "")
    view = rows(made, subset="points in view", rule="nuscenes")[0]
    assert view["miou"] == pytest.approx((1 + 0.5 + 0) / 3)
    assert (view["accuracy"], view["coverage"], view["num_points"]) == (0.75, 1.0, 4)
    assert view["miou_present"] == pytest.approx(0.75)


def test_nuscenes_scores_all_points_only_when_they_are_filled() -> None:
    labels, filled = np.array([0, 0, 1, 1, 255], np.uint8), np.array([0, 0, 1, 1, 2], np.uint8)
    made = points_tables(
        make_frame(labels=labels, fill_labels=filled).tally(), layer(taxonomy=NUSCENES, fill="nearest")
    )
    refused = rows(made["summary"], subset="all points")[0]
    assert (refused["miou"], refused["frequency_weighted_iou"], refused["coverage"]) == (None, None, 0.8)
    assert rows(made["classes"], subset="all points") == []
    stated = rows(made["summary"], subset="all points, filled")[0]
    assert (stated["miou"], stated["fill"], stated["frequency_weighted_iou"]) == (1.0, "nearest", 1.0)


def test_classes_give_counts_and_null_for_an_absent_one() -> None:
    frame = make_frame(labels=np.array([0, 1, 1, 1, 1], np.uint8), truth=np.array([0, 0, 1, 1, 1], np.uint8))
    made = points_tables(frame.tally(), layer())["classes"]
    second = rows(made, subset="all points", rule="nuscenes", **{"class": "b"})[0]
    assert (second["iou"], second["tp"], second["fp"], second["fn"], second["support"]) == (0.75, 3, 1, 0, 3)
    assert rows(made, subset="all points", rule="nuscenes", **{"class": "c"})[0]["iou"] is None
    assert rows(made, subset="all points", rule="semantickitti", **{"class": "c"})[0]["iou"] == 0.0


def test_ranges_cameras_and_edges() -> None:
    frame = make_frame(
        labels=np.array([0, 1, 1, 1, 2], np.uint8),
        camera=np.array([0, 1, 1, 1, 1], np.int8),
        flags=np.array([3, 3 | 16, 3, 3, 3], np.uint8),
    )
    made = points_tables(frame.tally(), layer())
    near = rows(made["ranges"], rule="semantickitti")
    assert [(row["from_m"], row["to_m"], row["num_points"], row["accuracy"]) for row in near] == [
        (0, 10, 1, 1.0),
        (10, 20, 1, 0.0),
        (20, 30, 1, 1.0),
        (30, 40, 1, 1.0),
        (40, 50, 1, 1.0),
    ]
    cameras = rows(made["cameras"], rule="nuscenes")
    assert [(row["camera"], row["accuracy"], row["num_points"]) for row in cameras] == [
        ("left", 1.0, 1),
        ("right", 0.75, 4),
    ]
    edges = rows(made["edges"], rule="nuscenes")
    assert [(row["depth_edge"], row["accuracy"], row["num_points"]) for row in edges] == [
        ("off", 1.0, 4),
        ("on", 0.0, 1),
    ]


def test_occluded_points_apart_from_others_and_how_many_of_them_are_painted() -> None:
    """Points 1, 3 and 4 are occluded: one wrong, one right, one cleared."""
    frame = make_frame(
        labels=np.array([0, 1, 1, 1, 255], np.uint8), flags=np.array([3, 3 | 8, 3, 3 | 8 | 16, 2 | 8], np.uint8)
    )
    made = rows(points_tables(frame.tally(), layer())["occlusion"], rule="nuscenes")
    assert [(row["occluded"], row["accuracy"], row["coverage"], row["num_points"]) for row in made] == [
        ("no", 1.0, 1.0, 2),
        ("yes", pytest.approx(1 / 3), pytest.approx(2 / 3), 3),
    ]
    nobody_looked = rows(points_tables(make_frame().tally(), layer())["occlusion"], rule="nuscenes", occluded="yes")[0]
    assert (nobody_looked["accuracy"], nobody_looked["coverage"], nobody_looked["num_points"]) == (None, None, 0)


def test_the_confusion_names_what_was_unpainted() -> None:
    frame = make_frame(labels=np.array([0, 1, 1, 1, 255], np.uint8), flags=np.array([3, 3, 3, 3, 0], np.uint8))
    made = points_tables(frame.tally(), layer())["confusion"]
    whole = {(row["truth"], row["prediction"]): row["count"] for row in rows(made, subset="all points")}
    assert whole == {("a", "a"): 1, ("a", "b"): 1, ("b", "b"): 2, ("c", "unpainted"): 1}
    assert sum(row["count"] for row in rows(made, subset="points in view")) == 4


def test_layers_stand_side_by_side() -> None:
    one = points_tables(make_frame().tally(), layer("one"))
    other = points_tables(make_frame(labels=np.array([0, 0, 1, 2, 2], np.uint8)).tally(), layer("two"))
    both = side_by_side([one["classes"], other["classes"]], "classes")
    assert both.column_names == ["subset", "rule", "class", "one", "two"]
    second = rows(both, subset="all points", rule="nuscenes", **{"class": "b"})
    assert [(row["one"], row["two"]) for row in second] == [(1.0, 0.5)]
    assert side_by_side([one["coverage"], other["coverage"]], "coverage").to_pylist() == [{"one": 1.0, "two": 1.0}]


def test_images_are_scored_one_by_one_and_together() -> None:
    first, second = counts([[2, 2, 0], [0, 0, 0]]), counts([[0, 0, 0], [0, 4, 0]])
    made = images_table("net", "flip", {"a": first, "b": second})
    assert made.schema.equals(schemas.IMAGES)
    figures = {row["image"]: (row["miou"], row["accuracy"], row["num_classes"]) for row in made.to_pylist()}
    assert figures == {
        "a": (0.5, 0.5, 1),
        "b": (1.0, 1.0, 1),
        "all": (pytest.approx((2 / 4 + 4 / 6) / 2), 0.75, 2),
    }
    assert side_by_side([made, images_table("net", "", {"a": first})], "images").column_names == [
        "image",
        "net flip",
        "net",
    ]
