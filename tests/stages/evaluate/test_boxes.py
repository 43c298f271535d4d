"""Painted points against boxes."""

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.schemas import tables as schemas
from paintpipe.schemas.catalog import BoxRow
from paintpipe.stages.evaluate.boxes import BoxesTally, evaluate_boxes
from paintpipe.stages.evaluate.boxes_tables import boxes_tables
from paintpipe.stages.taxonomies.load import box_classes, load_taxonomy

CITY = load_taxonomy("cityscapes19")
CLASSES = box_classes("cityscapes19")
CAR, PERSON, RIDER, BICYCLE, ROAD = (CITY.classes.index(name) for name in ("car", "person", "rider", "bicycle", "road"))


def make_box(class_name: str, x_m: float) -> BoxRow:
    """A cube of 2 m around (x, 0, 0)."""
    return BoxRow("training", 0, "000000", class_name, np.array([x_m, 0.0, 0.0]), np.full(3, 2.0), 0.0)


def tally(labels: list[int], x_m: list[float], boxes: list[BoxRow], flags: int = 3) -> BoxesTally:
    points = np.array([[x, 0, 0, 0] for x in x_m], np.float32).reshape(-1, 4)
    given_flags = np.full(len(labels), flags, np.uint8)
    return evaluate_boxes(points, np.array(labels, np.uint8), given_flags, boxes, CLASSES, 19)


def rows(made: BoxesTally, name: str = "boxes") -> dict[str, dict[str, Any]]:
    table = boxes_tables(made, "net", CITY, CLASSES)[name]
    assert table.schema.equals(getattr(schemas, name.upper()))
    return {row["category"]: row for row in table.to_pylist()}


def test_shares_inside_and_outside_are_those_worked_out_by_hand() -> None:
    # Inside the car: car, car, road, unpainted. Inside the van: car. In no box: car. A person outside all.
    made = tally(
        [CAR, CAR, ROAD, 255, CAR, CAR, PERSON],
        [0, 0.5, -0.5, 0.9, 10, 20, 30],
        [make_box("Car", 0), make_box("Van", 10), make_box("Misc", 50)],
    )
    car = rows(made)["Car"]
    assert (car["boxes"], car["points_inside"], car["right"], car["right_share"]) == (1, 4, 2, 0.5)
    # A van is a car to Cityscapes: its point lies in a box of the same class.
    assert (car["painted"], car["outside_own"], car["outside_all"]) == (4, 1, 1)
    assert car["outside_own_share"] == 0.25
    assert car["classes"] == "car"
    misc = rows(made)["Misc"]
    assert (misc["points_inside"], misc["right_share"], misc["outside_all_share"]) == (0, None, None)
    assert rows(made).keys() == {"Car", "Van", "Misc"}


def test_another_categorys_box_is_outside_own_and_not_outside_all() -> None:
    made = tally([CAR, CAR], [0, 10], [make_box("Car", 0), make_box("Truck", 10)])
    assert (rows(made)["Car"]["outside_own"], rows(made)["Car"]["outside_all"]) == (1, 0)
    assert made.labels_inside("Truck")[CAR] == 1


def test_a_cyclist_may_be_painted_rider_or_bicycle() -> None:
    made = tally([RIDER, BICYCLE, PERSON], [0, 0.1, 0.2], [make_box("Cyclist", 0)])
    assert rows(made)["Cyclist"]["right"] == 2
    assert rows(made)["Cyclist"]["classes"] == "rider, bicycle"


def test_points_out_of_view_do_not_count() -> None:
    made = tally([CAR, CAR], [0, 20], [make_box("Car", 0)], flags=1)
    assert (rows(made)["Car"]["points_inside"], rows(made)["Car"]["painted"]) == (0, 0)


def test_a_point_in_two_boxes_counts_in_both() -> None:
    made = tally([CAR], [0], [make_box("Car", 0), make_box("Car", 0.5)])
    assert (made.boxes["Car"], int(made.labels_inside("Car").sum()), made.painted["Car"]) == (2, 2, 1)


def test_a_frame_without_boxes_counts_what_is_painted_outside() -> None:
    made = tally([CAR, 255], [0, 1], []) + tally([CAR], [0], [make_box("Car", 0)])
    assert rows(made)["Car"]["outside_own_share"] == 0.5
    assert tally([], [], [make_box("Car", 0)]).boxes["Car"] == 1


def test_labels_inside_are_listed_most_frequent_first() -> None:
    made = tally([ROAD, CAR, CAR, 255], [0, 0, 0, 0], [make_box("Car", 0)])
    listed = boxes_tables(made, "net", CITY, CLASSES)["box_labels"]
    assert listed.schema.equals(schemas.BOX_LABELS)
    assert [(row["label"], row["count"]) for row in listed.to_pylist()] == [("car", 2), ("road", 1), ("unpainted", 1)]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_tallies_merge_to_the_tally_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = ["Car", "Van", "Cyclist", "Misc"]
    parts = [
        tally(
            rng.choice([CAR, RIDER, ROAD, 255], 20).tolist(),
            rng.uniform(-5, 5, 20).tolist(),
            [make_box(str(rng.choice(names)), float(rng.uniform(-5, 5))) for _ in range(rng.integers(0, 4))],
        )
        for _ in range(3)
    ]
    a, b, c = parts
    assert rows((a + b) + c) == rows(a + (b + c))
    assert rows(a + b) == rows(b + a)
    assert rows(sum(parts, BoxesTally(19))) == rows(a + b + c)
    assert rows(pickle.loads(pickle.dumps(a))) == rows(a)


def test_tallies_of_other_taxonomies_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="19 and 4 classes"):
        BoxesTally(19) + BoxesTally(4)
