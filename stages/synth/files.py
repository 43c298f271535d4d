"""Writing a synthetic dataset's files, and telling a whole one from a half-written one."""

import json
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.errors import ConfigError, StoreError
from paintpipe.stages.synth.settings import CLASSES, DEFAULT_SEQUENCES, MARKER, Layout, SynthSettings

SYNTH_FORMAT = 1
"""Raised whenever the same settings would give other bytes than before."""
_PARTIAL = MARKER + ".partial"


def begin(root: Path) -> None:
    """Make `root` ready to be written, and no longer whole.

    Raises:
        ConfigError: the folder holds something that is not a synthetic dataset.
    """
    if root.exists() and not root.is_dir():
        raise ConfigError("not a folder", where=str(root), expected="a new or empty folder")
    known = (root / MARKER).is_file() or (root / _PARTIAL).is_file()
    if root.is_dir() and any(root.iterdir()) and not known:
        raise ConfigError(
            "the folder holds other files", where=str(root), expected="a new or empty folder, or a synthetic dataset"
        )
    root.mkdir(parents=True, exist_ok=True)
    (root / _PARTIAL).write_text("half-written: run `paintpipe synth` again\n")
    (root / MARKER).unlink(missing_ok=True)


def finish(root: Path, layout: Layout, settings: SynthSettings) -> None:
    """Mark `root` as whole."""
    (root / _PARTIAL).write_text(json.dumps(marker_content(layout, settings), indent=1) + "\n")
    (root / _PARTIAL).replace(root / MARKER)


def marker_content(layout: Layout, settings: SynthSettings) -> dict[str, Any]:
    """What the marker says: format, layout, taxonomy, all settings, and where exact masks lie."""
    chosen = {**asdict(settings), "sequences": list(sequence_names(layout, settings))}
    chosen["image_size_px"] = None if settings.image_size_px is None else list(settings.image_size_px)
    head = {"format": SYNTH_FORMAT, "layout": layout, "taxonomy": "synthetic", "classes": list(CLASSES)}
    return {**head, "masks": "masks", **chosen}


def sequence_names(layout: Layout, settings: SynthSettings) -> tuple[str, ...]:
    """The sequences to write."""
    return settings.sequences or DEFAULT_SEQUENCES[layout]


def seed_of(settings: SynthSettings, sequence: str) -> list[int]:
    """Seed of one sequence's world."""
    return [settings.seed, zlib.crc32(sequence.encode())]


def write_picture(root: Path, image_path: str, image_bgr: UInt8, labels: UInt8) -> None:
    """An image at its place (PNG or JPEG of quality 95) and its class map at `masks/` + the same path + `.png`.

    Raises:
        StoreError: a file can't be written.
    """
    import cv2

    mask_path = (root / "masks" / image_path).with_suffix(".png")
    fast = [cv2.IMWRITE_PNG_COMPRESSION, 3]
    quality = [cv2.IMWRITE_JPEG_QUALITY, 95] if image_path.endswith(".jpg") else fast
    for path, pixels, options in ((root / image_path, image_bgr, quality), (mask_path, labels, fast)):
        done, encoded = cv2.imencode(path.suffix, pixels, options)
        if not done:
            raise StoreError("the image can't be encoded", where=str(path))
        write_bytes(path, encoded.tobytes())


def write_bytes(path: Path, content: bytes) -> None:
    """A file with its folders; raises StoreError where that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise StoreError(f"can't be written ({error.strerror})", where=str(path)) from error
