import numpy as np
import pytest
from support.paint import cloud, make_box, make_taxonomy

from paintpipe.schemas.errors import TaxonomyError
from paintpipe.stages.paint.oracle import oracle_from_boxes, oracle_from_labels


def test_labels_go_through_the_taxonomy_s_own_ids() -> None:
    raw = np.array([10, 30, 0, 40, 99, 65535], np.uint32)
    assert oracle_from_labels(raw, make_taxonomy()).tolist() == [0, 1, 255, 2, 255, 255]


def test_the_instance_in_the_high_bits_does_not_matter() -> None:
    raw = np.array([10 | (7 << 16), 30 | (0xFFFF << 16)], np.uint32)
    assert oracle_from_labels(raw, make_taxonomy()).tolist() == [0, 1]


def test_bytes_are_labels_too() -> None:
    assert oracle_from_labels(np.array([10, 255], np.uint8), make_taxonomy()).tolist() == [0, 255]


def test_a_taxonomy_without_label_ids_is_refused() -> None:
    with pytest.raises(TaxonomyError, match="toy"):
        oracle_from_labels(np.zeros(1, np.uint32), make_taxonomy(raw_ids={}))


def test_boxes_by_alias_and_background_elsewhere() -> None:
    points = cloud((0, 0, 0), (50, 0, 0), (20, 0, 0))
    boxes = [make_box(), make_box(class_name="person", center_m=np.array([20.0, 0.0, 0.0]))]
    assert oracle_from_boxes(points, boxes, make_taxonomy()).tolist() == [0, 2, 1]


def test_no_background_class_leaves_points_outside_unset() -> None:
    taxonomy = make_taxonomy(background=None)
    assert oracle_from_boxes(cloud((0, 0, 0), (50, 0, 0)), [make_box()], taxonomy).tolist() == [0, 255]


def test_the_smallest_box_wins_whatever_the_order() -> None:
    small = make_box(class_name="person", size_lwh_m=np.array([0.5, 0.5, 0.5]))
    points = cloud((0, 0, 0), (1.5, 0, 0))
    for boxes in ([make_box(), small], [small, make_box()]):
        assert oracle_from_boxes(points, boxes, make_taxonomy()).tolist() == [1, 0]


def test_a_category_that_the_taxonomy_lacks_is_not_background() -> None:
    boxes = [make_box(class_name="Misc")]
    assert oracle_from_boxes(cloud((0, 0, 0), (50, 0, 0)), boxes, make_taxonomy()).tolist() == [255, 2]


def test_a_point_that_is_not_finite_is_unknown() -> None:
    assert oracle_from_boxes(cloud((np.nan, 0, 0), (0, 0, np.inf)), [], make_taxonomy()).tolist() == [255, 255]


def test_no_points() -> None:
    assert oracle_from_boxes(np.zeros((0, 4), np.float32), [make_box()], make_taxonomy()).shape == (0,)
