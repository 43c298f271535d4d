"""Image segmentation against labelled images."""

import numpy as np
import pytest

from paintpipe.schemas.errors import InputFileError, LabelsError
from paintpipe.schemas.pixels import PixelScores
from paintpipe.stages.evaluate.images import (
    classes_of_ids,
    evaluate_image,
    find_pairs,
    labels_mapped,
    labels_of_scores,
)
from paintpipe.stages.taxonomies.load import load_mapping, load_taxonomy

CITY = load_taxonomy("cityscapes19-background")


def test_pairs_are_found_by_name_wherever_they_lie() -> None:
    images = ["val/a/a_0_leftImg8bit.png", "val/b/b_1_leftImg8bit.png", "val/b/notes.txt", "val/c/preview.png"]
    labels = ["val/a/a_0_gtFine_labelIds.png", "val/a/a_0_gtFine_color.png", "val/z/c_2_gtFine_labelIds.png"]
    assert find_pairs(images, labels) == [("a_0", images[0], labels[0])]


def test_plain_names_are_paired_by_stem() -> None:
    pairs = find_pairs(["b.png", "a.jpg", "c.png"], ["a.png", "b.png"])
    assert [tuple(pair) for pair in pairs] == [("a", "a.jpg", "a.png"), ("b", "b.png", "b.png")]


def test_no_pair_and_two_of_a_name_are_errors() -> None:
    with pytest.raises(InputFileError, match="none of 1 images has a label image of its name among 0"):
        find_pairs(["a.png"], ["a.txt"])
    with pytest.raises(InputFileError, match=r"two files are called a: x/a\.png and y/a\.png"):
        find_pairs(["x/a.png", "y/a.png"], ["a.png"])


def test_label_ids_become_train_ids() -> None:
    ids = np.array([[7, 26, 33], [0, 9, 1]], np.uint8)
    assert classes_of_ids(ids, CITY).tolist() == [[0, 13, 18], [255, 255, 255]]
    assert classes_of_ids(np.array([[-1, 70000, 7]], np.int32), CITY).tolist() == [[255, 255, 0]]


def test_label_images_that_are_none_are_refused() -> None:
    with pytest.raises(LabelsError, match="one channel of integer ids"):
        classes_of_ids(np.zeros((2, 2, 3), np.uint8), CITY)
    with pytest.raises(LabelsError, match="says nothing of label images' ids"):
        classes_of_ids(np.zeros((2, 2), np.uint8), load_taxonomy("synthetic"))


@pytest.mark.parametrize(("name", "expected"), [("cityscapes19-background", 3), ("cityscapes20-void-first", 4)])
def test_the_background_output_never_wins(name: str, expected: int) -> None:
    taxonomy = load_taxonomy(name)
    values = np.zeros((20, 2, 3), np.float32)
    assert taxonomy.background is not None
    values[taxonomy.classes.index(taxonomy.background)] = 9.0
    values[taxonomy.classes.index("wall")] = 1.0
    scores = PixelScores(values, "logits", align_corners=True, extent_px=(4, 6))
    labels = labels_of_scores(scores, (4, 6), taxonomy)
    assert labels.shape == (4, 6)
    assert (labels == expected).all()


def test_hard_labels_follow_a_mapping() -> None:
    mapping = load_mapping("cityscapes19-background", "semantickitti19")
    labels = np.array([CITY.classes.index(name) for name in ("road", "rider", "sky", "background")] + [255], np.uint8)
    names = [mapping.target.classes[index] for index in labels_mapped(labels, mapping)[:2]]
    assert names == ["road", "bicyclist"]
    assert labels_mapped(labels, mapping)[2:].tolist() == [255, 255, 255]


def test_an_image_of_another_size_is_refused() -> None:
    assert evaluate_image(np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.uint8), 2).tolist() == [[6, 0, 0], [0, 0, 0]]
    with pytest.raises(LabelsError, match=r"\(3, 2\) for a label image of \(2, 3\)"):
        evaluate_image(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), 2)
