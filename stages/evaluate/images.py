"""A network's image segmentation against labelled images in Cityscapes' layout."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, AnyArray, Int64, UInt8
from paintpipe.schemas.errors import InputFileError, LabelsError
from paintpipe.schemas.pixels import PixelScores
from paintpipe.schemas.taxonomy import OTHER, Mapping, Taxonomy
from paintpipe.stages.evaluate.confusion import confusion

IMAGE_ENDING = "_leftImg8bit"
LABEL_ENDING = "_gtFine_labelIds"


class ImagePair(NamedTuple):
    """One labelled image: what both file names begin with, and the two paths as given."""

    name: str
    image: str
    label: str


def find_pairs(images: Iterable[str], labels: Iterable[str]) -> list[ImagePair]:
    """Images and labels of one name, sorted by it; those without a partner are left out.

    `aachen_000000_000019_leftImg8bit.png` belongs to `aachen_000000_000019_gtFine_labelIds.png`; where a folder has
    names without these endings, an image belongs to the label of the same stem.

    Args:
        images: paths with `/`, other files among them are passed over.
        labels: likewise; gtFine's other files (colour, instances, polygons) are passed over.

    Raises:
        InputFileError: there is no pair at all, or two files of one kind have one name.
    """
    by_image = _by_name(images, IMAGE_ENDING, (".png", ".jpg", ".jpeg"))
    by_label = _by_name(labels, LABEL_ENDING, (".png",))
    pairs = [ImagePair(name, by_image[name], by_label[name]) for name in sorted(by_image.keys() & by_label.keys())]
    if not pairs:
        raise InputFileError(
            f"none of {len(by_image)} images has a label image of its name among {len(by_label)}",
            expected=f"NAME{IMAGE_ENDING}.png beside NAME{LABEL_ENDING}.png, or the same stems",
        )
    return pairs


def classes_of_ids(ids: AnyArray, taxonomy: Taxonomy) -> UInt8:
    """(H, W) uint8 classes of a label image's ids by the taxonomy's `raw_ids`; 255 where ignored.

    Raises:
        LabelsError: the label image is not one channel of integers, or the taxonomy knows no ids.
    """
    if ids.ndim != 2 or ids.dtype.kind not in "ui":
        raise LabelsError(f"a label image of shape {ids.shape} and {ids.dtype}", expected="one channel of integer ids")
    if not taxonomy.raw_ids:
        raise LabelsError(f"the taxonomy {taxonomy.name} says nothing of label images' ids")
    classes = np.full(1 << 16, UNPAINTED, dtype=np.uint8)
    classes[list(taxonomy.raw_ids)] = list(taxonomy.raw_ids.values())
    return classes[np.clip(ids, 0, len(classes) - 1)]


def labels_of_scores(scores: PixelScores, out_hw: tuple[int, int], taxonomy: Taxonomy) -> UInt8:
    """(H, W) uint8 arg-max at the image's size, the taxonomy's background left out: a labelled pixel is never that.

    Args:
        scores: the network's, in `taxonomy`.
        out_hw: (H, W) of the label image.
        taxonomy: of the scores.
    """
    from paintpipe.stages.segment.upsample import full_size_labels

    left_out = {OTHER, taxonomy.background}
    kept = np.array([index for index, name in enumerate(taxonomy.classes) if name not in left_out], dtype=np.uint8)
    return kept[full_size_labels(replace(scores, values=np.ascontiguousarray(scores.values[kept])), out_hw)]


def labels_mapped(labels: UInt8, mapping: Mapping) -> UInt8:
    """Hard labels in the mapping's target, each class by its largest weight; 255 stays, and `other` becomes 255."""
    table = np.full(256, UNPAINTED, dtype=np.uint8)
    goes_to = mapping.matrix.argmax(axis=1)
    lost = np.array([mapping.target.classes[index] == OTHER for index in goes_to])
    table[: len(goes_to)] = np.where(lost, UNPAINTED, goes_to)
    return table[labels]


def evaluate_image(truth: UInt8, prediction: UInt8, num_classes: int) -> Int64:
    """(C, C + 1) counts of one image, as `confusion`; add those of all images for the score of the set.

    Raises:
        LabelsError: the two differ in size.
    """
    if truth.shape != prediction.shape:
        raise LabelsError(f"a prediction of {prediction.shape} for a label image of {truth.shape}")
    return confusion(truth.reshape(-1), prediction.reshape(-1), num_classes)


def _by_name(paths: Iterable[str], ending: str, suffixes: tuple[str, ...]) -> dict[str, str]:
    """Path by name; where some file has the ending, only files with the ending count."""
    files = [PurePosixPath(path) for path in paths if PurePosixPath(path).suffix.lower() in suffixes]
    marked = [file for file in files if file.stem.endswith(ending)]
    found: dict[str, str] = {}
    for file in marked or files:
        name = file.stem.removesuffix(ending)
        if name in found:
            raise InputFileError(f"two files are called {name}: {found[name]} and {file}", expected="one of each name")
        found[name] = str(file)
    return found
