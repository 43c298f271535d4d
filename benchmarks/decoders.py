"""How fast the decoders of the package index read the images of driving datasets, on one thread.

    python benchmarks/decoders.py FOLDER|FILE…      # folders are searched for .png, .jpg and .jpeg

Prints, for each size and kind of image, CPU milliseconds an image (median of rounds over all files of the kind), the
ratio to the first decoder, and the largest difference of any pixel from it; for JPEG, the same at a half, a quarter
and an eighth of the size. What is not installed is left out; all there is comes with
`pip install simplejpeg imagecodecs torchvision pyspng kornia-rs`.
"""

import argparse
import io
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from paintpipe.schemas.arrays import UInt8
from paintpipe.stages.ingest import png
from paintpipe.stages.ingest.images import decode_image

Decode = Callable[[bytes], UInt8]
ROW = "| {:34} | {:>8} | {:>8} | {:>10} |"


def opencv(data: bytes, flags: int = cv2.IMREAD_COLOR_RGB) -> UInt8:
    return cv2.imdecode(np.frombuffer(data, np.uint8), flags)


def opencv_bgr(data: bytes) -> UInt8:
    return cv2.cvtColor(opencv(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def pillow(data: bytes) -> UInt8:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def torchvision(data: bytes) -> UInt8:
    import torch
    from torchvision.io import ImageReadMode, decode_image

    pixels = decode_image(torch.frombuffer(bytearray(data), dtype=torch.uint8), ImageReadMode.RGB)
    return pixels.permute(1, 2, 0).contiguous().numpy()


def kornia(data: bytes) -> UInt8:
    width_px, height_px = png.png_size(data, "")
    return import_module("kornia_rs.io").decode_image_png_u8(data, (height_px, width_px), "rgb")


def named(module: str, name: str, **options: Any) -> Decode:
    """A function of a package that is imported when it is first called."""
    return lambda data: getattr(import_module(module), name)(data, **options)


COMMON: dict[str, Decode] = {
    "OpenCV, BGR to RGB": opencv_bgr,
    "OpenCV, IMREAD_COLOR_RGB": opencv,
    "Pillow": pillow,
    "torchvision.io": torchvision,
    "paintpipe": lambda data: decode_image(data, "image"),
}
PNG = COMMON | {
    "imagecodecs (libpng)": named("imagecodecs", "png_decode"),
    "imagecodecs (libpng-apng)": named("imagecodecs", "apng_decode"),
    "pyspng (libspng)": named("pyspng", "load"),
    "kornia-rs (Rust png)": kornia,
}
JPEG = COMMON | {
    "simplejpeg (libjpeg-turbo)": named("simplejpeg", "decode_jpeg"),
    "imagecodecs (libjpeg-turbo)": named("imagecodecs", "jpeg8_decode"),
}


def reduced(factor: int) -> dict[str, Decode]:
    def by_pillow(data: bytes) -> UInt8:
        from PIL import Image

        image = Image.open(io.BytesIO(data))
        image.draft("RGB", (image.width // factor, image.height // factor))
        return np.asarray(image)

    def by_simplejpeg(data: bytes) -> UInt8:
        module = import_module("simplejpeg")
        height_px, width_px = (side // factor for side in module.decode_jpeg_header(data)[:2])
        return module.decode_jpeg(data, min_height=height_px, min_width=width_px, min_factor=1)

    flags = getattr(cv2, f"IMREAD_REDUCED_COLOR_{factor}") | cv2.IMREAD_COLOR_RGB
    names = {"OpenCV": lambda data: opencv(data, flags), "Pillow": by_pillow, "simplejpeg": by_simplejpeg}
    return {f"1/{factor}: {name}": decode for name, decode in names.items()}


def measure(call: Callable[[], object], rounds: int) -> float:
    """Median milliseconds of a call."""
    call()
    spent = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)
    return 1e3 * median(spent)


def table(files: list[bytes], decoders: dict[str, Decode], rounds: int) -> None:
    first: list[UInt8] = []
    first_ms = 0.0
    for name, decode in decoders.items():
        try:
            found = [np.asarray(decode(data)) for data in files]
        except (ImportError, AttributeError) as error:
            print(ROW.format(name, "–", "–", type(error).__name__))
            continue
        ms = measure(lambda: [decode(data) for data in files], rounds) / len(files)  # noqa: B023
        first, first_ms = first or found, first_ms or ms
        print(ROW.format(name, f"{ms:.2f}", f"{first_ms / ms:.2f}", difference(found, first)))


def difference(found: list[UInt8], first: list[UInt8]) -> str:
    if any(a.shape != b.shape for a, b in zip(found, first, strict=True)):
        return "other size"
    most = max(int(np.abs(a.astype(np.int16) - b).max()) for a, b in zip(found, first, strict=True))
    return f"{most}" if most else "equal"


def by_kind(paths: Iterable[Path], most: int) -> dict[str, list[bytes]]:
    """Files of one format and size together, at most so many of each."""
    found = defaultdict(list)
    for path in paths:
        data = path.read_bytes()
        height_px, width_px = opencv(data).shape[:2]
        kind = "PNG" if data.startswith(png.SIGNATURE) else "JPEG"
        if kind == "JPEG" or png.png_kind(data) == (8, 2):
            found[f"{kind} {width_px}x{height_px}"].append(data)
    return {kind: files[:most] for kind, files in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--files", type=int, default=6, help="of each size")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    folders = [sorted(path.rglob("*.*")) if path.is_dir() else [path] for path in arguments.paths]
    paths = [path for found in folders for path in found if path.suffix.lower() in (".png", ".jpg", ".jpeg")]
    for kind, files in by_kind(paths, arguments.files).items():
        size = sum(map(len, files)) / len(files)
        print(f"\n{kind}, {len(files)} files of {size / 1e3:.0f} kB\n")
        print(ROW.format("decoder", "ms/image", "ratio", "difference"))
        print("| --- | ---: | ---: | ---: |")
        table(files, PNG if kind.startswith("PNG") else JPEG, arguments.rounds)
        for factor in (2, 4, 8) if kind.startswith("JPEG") else ():
            table(files, reduced(factor), arguments.rounds)


if __name__ == "__main__":
    main()
