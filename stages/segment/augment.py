"""Random crops, mirrors and colours for training a segmentation network."""

import cv2
import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, UInt8

Rng = np.random.Generator


def random_crop(rng: Rng, image: UInt8, labels: UInt8, size_px: tuple[int, int]) -> tuple[UInt8, UInt8]:
    """A (height, width) part of an image and its labels at 0.8 to 1.4 times their size, mirrored half of the time."""
    scale = max(float(np.exp(rng.uniform(np.log(0.8), np.log(1.4)))), size_px[0] / image.shape[0])
    width, height = round(image.shape[1] * scale), round(image.shape[0] * scale)
    image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    labels = np.asarray(cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
    top, left = (int(rng.integers(0, have - want + 1)) for have, want in zip((height, width), size_px, strict=True))
    image = image[top : top + size_px[0], left : left + size_px[1]]
    labels = labels[top : top + size_px[0], left : left + size_px[1]]
    return (image[:, ::-1], labels[:, ::-1]) if rng.random() < 0.5 else (image, labels)


def random_colors(rng: Rng, image: UInt8) -> UInt8:
    """The image with another exposure, contrast, saturation and white balance, and a little noise or blur."""
    gains = rng.uniform(0.8, 1.25) * rng.uniform(0.95, 1.05, 3)
    colors = image.astype(np.float32) * gains
    grey = colors.mean(axis=2, keepdims=True)
    colors = grey + rng.uniform(0.7, 1.3) * (colors - grey)
    colors = (colors - 128) * rng.uniform(0.85, 1.18) + 128
    if rng.random() < 0.15:
        colors = cv2.GaussianBlur(colors, (3, 3), rng.uniform(0.3, 0.7))
    colors += rng.normal(0.0, rng.uniform(0.0, 3.0), colors.shape)
    return np.clip(colors, 0, 255).astype(np.uint8)


def class_weights(labels: list[UInt8], num_classes: int) -> list[float]:
    """Milder than the inverse of each class's share: its fourth root, 1 on average."""
    counts = np.zeros(num_classes)
    for each in labels:
        counts += np.bincount(each[each != UNPAINTED], minlength=num_classes)[:num_classes]
    weights = (counts.sum() / np.maximum(counts, 1.0)) ** 0.25
    return [float(weight) for weight in weights / weights.mean()]
