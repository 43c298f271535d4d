"""An MP4 from RGB frames."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.errors import ConfigError, StoreError
from paintpipe.stages.view.canvas import resize, row
from paintpipe.stages.view.style import BACKGROUND

CODECS = ("avc1", "vp09", "mp4v")
"""By preference. H.264 plays everywhere, but OpenCV's wheels hold no encoder for it; VP9 plays in every browser; MPEG-4
part 2 plays in desktop players alone."""

_GAP_PX = 8


class VideoWriter:
    """Writes an MP4, which appears under its name only once it is whole.

    Use it as a context manager; where the block fails, nothing is left behind.

    Attributes:
        path: of the MP4.
        size_px: (width, height) of its frames: the size asked for, rounded up to even numbers, as codecs want them.
        codec: the one of `CODECS` that this machine's OpenCV can write.
    """

    def __init__(self, path: Path, size_px: tuple[int, int], fps: float) -> None:
        """Open the file.

        Args:
            path: ends in `.mp4`; its folder exists.
            size_px: (width, height) of the frames to come.
            fps: frames a second.

        Raises:
            ConfigError: a size below 16 pixels or a rate that is not positive.
            StoreError: no file can be written there, or OpenCV has no encoder.
        """
        width_px, height_px = size_px
        if min(size_px) < 16 or not 0 < fps <= 240 or path.suffix.lower() != ".mp4":
            raise ConfigError(
                f"video of {width_px} x {height_px} px at {fps} frames a second",
                where=str(path),
                expected="an .mp4 of at least 16 x 16 px and a rate above 0 and up to 240",
            )
        self.path, self.fps, self._given_px, self._count = path, fps, size_px, 0
        self.size_px = (width_px + width_px % 2, height_px + height_px % 2)
        # OpenCV takes the container from the ending, so the ending stays .mp4.
        self._partial = path.with_name(f".{path.stem}.{os.getpid()}.partial.mp4")
        self.codec, self._writer = self._open()

    def write(self, frame: UInt8) -> None:
        """Append one (height, width, 3) uint8 RGB frame of the size asked for.

        Raises:
            ConfigError: the frame has another size.
        """
        width_px, height_px = self._given_px
        if frame.shape != (height_px, width_px, 3):
            raise ConfigError(
                f"frame {self._count} has shape {frame.shape}",
                where=str(self.path),
                expected=f"{height_px, width_px, 3}",
            )
        canvas = np.full((self.size_px[1], self.size_px[0], 3), BACKGROUND[::-1], dtype=np.uint8)
        canvas[:height_px, :width_px] = frame[..., ::-1]
        self._writer.write(canvas)
        self._count += 1

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.release()
        try:
            if kind is None:
                self._publish()
        finally:
            self._partial.unlink(missing_ok=True)

    def _open(self) -> tuple[str, Any]:
        import cv2

        try:
            self._partial.write_bytes(b"")
        except OSError as error:
            raise StoreError(f"can't write a video: {error.strerror}", where=str(self.path)) from None
        with _quiet_opencv():
            for codec in CODECS:
                code = cv2.VideoWriter.fourcc(*codec)
                writer = cv2.VideoWriter(str(self._partial), cv2.CAP_FFMPEG, code, self.fps, self.size_px)
                if writer.isOpened():
                    return codec, writer
        self._partial.unlink(missing_ok=True)
        raise StoreError(
            "OpenCV can write no MP4 here",
            where=str(self.path),
            expected=f"one of the codecs {', '.join(CODECS)}",
            todo="pip install --force-reinstall 'opencv-python-headless<4.12'",
        )

    def _publish(self) -> None:
        """Rename the file once it is seen to hold every frame: OpenCV's writer does not say when a disk is full."""
        if not self._count:
            raise StoreError("a video without a frame", where=str(self.path))
        found = _frames_in(self._partial)
        if found != self._count:
            raise StoreError(
                f"the video holds {found} frames instead of {self._count}",
                where=str(self.path),
                todo="is the disk full?",
            )
        try:
            self._partial.replace(self.path)
        except OSError as error:
            raise StoreError(f"can't write the video: {error.strerror}", where=str(self.path)) from None


def side_by_side(image: UInt8, birds_eye: UInt8, height_px: int) -> UInt8:
    """(height_px, W, 3) uint8 RGB: the image and the bird's-eye view beside each other, both scaled to one height."""
    shown = [
        resize(part, max(1, round(part.shape[1] * height_px / part.shape[0])), height_px) for part in (image, birds_eye)
    ]
    return row(shown, _GAP_PX)


def _frames_in(path: Path) -> int:
    import cv2

    with _quiet_opencv():
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
        capture.release()
    return count


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Without OpenCV's own lines on stderr for each codec that it lacks."""
    import cv2

    before = cv2.getLogLevel()
    cv2.setLogLevel(0)
    try:
        yield
    finally:
        cv2.setLogLevel(before)
