import cv2
import numpy as np
import pytest
from support.view import make_image

from paintpipe.schemas.errors import ConfigError, StoreError
from paintpipe.stages.view.video import CODECS, VideoWriter, side_by_side


def frames_of(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (answer := capture.read())[0]:
        frames.append(answer[1][..., ::-1])
    capture.release()
    return frames


def test_a_video_comes_back_with_its_frames(tmp_path):
    path = tmp_path / "drive.mp4"
    with VideoWriter(path, (64, 48), 10.0) as video:
        for number in range(7):
            frame = make_image(48, 64, 30 * number)
            frame[..., 0] = 220
            video.write(frame)
        assert not path.exists()
    frames = frames_of(path)
    assert len(frames) == 7
    assert frames[0].shape == (48, 64, 3)
    assert np.abs(frames[3].astype(int).mean(axis=(0, 1)) - (220, 90, 90)).max() < 12  # red is red, and in its place
    assert [item.name for item in tmp_path.iterdir()] == ["drive.mp4"]
    assert video.codec in CODECS


def test_odd_sizes_are_made_even(tmp_path):
    path = tmp_path / "odd.mp4"
    with VideoWriter(path, (65, 47), 5.0) as video:
        video.write(make_image(47, 65))
    assert video.size_px == (66, 48)
    (frame,) = frames_of(path)
    assert frame.shape == (48, 66, 3)


def test_a_failing_block_leaves_nothing_and_keeps_the_old_video(tmp_path):
    path = tmp_path / "drive.mp4"
    path.write_bytes(b"old")

    def drive():
        with VideoWriter(path, (64, 48), 10.0) as video:
            video.write(make_image(48, 64))
            raise RuntimeError("mid-drive")

    with pytest.raises(RuntimeError, match="mid-drive"):
        drive()
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_video_without_a_frame_is_an_error(tmp_path):
    with pytest.raises(StoreError, match="a video without a frame"), VideoWriter(tmp_path / "a.mp4", (64, 48), 10.0):
        pass
    assert not list(tmp_path.iterdir())


def test_lost_frames_are_noticed(tmp_path, monkeypatch):
    path = tmp_path / "full.mp4"

    def drive():
        with VideoWriter(path, (64, 48), 10.0) as video:
            video.write(make_image(48, 64))
            monkeypatch.setattr(video, "_writer", Deaf(video._writer))
            video.write(make_image(48, 64))

    with pytest.raises(StoreError, match=r"full.mp4: the video holds 1 frames instead of 2"):
        drive()
    assert not list(tmp_path.iterdir())


class Deaf:
    """A writer whose disk is full: it takes frames, says nothing and keeps none."""

    def __init__(self, writer):
        self.release = writer.release

    def write(self, frame):
        pass


def test_a_frame_of_another_size_is_refused(tmp_path):
    with (
        pytest.raises(ConfigError, match="frame 0 has shape"),
        VideoWriter(tmp_path / "a.mp4", (64, 48), 10.0) as video,
    ):
        video.write(make_image(64, 48))


@pytest.mark.parametrize(
    ("name", "size_px", "fps"),
    [("a.mp4", (0, 48), 10.0), ("a.mp4", (64, 48), 0.0), ("a.mp4", (64, 48), float("nan")), ("a.avi", (64, 48), 10.0)],
)
def test_a_video_that_can_not_be_is_refused(tmp_path, name, size_px, fps):
    with pytest.raises(ConfigError, match=r"expected an .mp4"):
        VideoWriter(tmp_path / name, size_px, fps)


def test_a_folder_that_is_not_there_is_one_clear_line(tmp_path):
    with pytest.raises(StoreError, match=r"a.mp4: can't write a video: No such file or directory"):
        VideoWriter(tmp_path / "absent" / "a.mp4", (64, 48), 10.0)


def test_without_any_codec_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("paintpipe.stages.view.video.CODECS", ("zzzz",))
    with pytest.raises(StoreError, match="OpenCV can write no MP4 here"):
        VideoWriter(tmp_path / "a.mp4", (64, 48), 10.0)
    assert not list(tmp_path.iterdir())


def test_opencv_says_nothing_on_stderr(tmp_path, capfd):
    with VideoWriter(tmp_path / "a.mp4", (64, 48), 10.0) as video:
        video.write(make_image(48, 64))
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


def test_side_by_side_has_one_height():
    picture = side_by_side(make_image(100, 400, 50), make_image(300, 300, 90), 200)
    assert picture.shape == (200, 800 + 8 + 200, 3)
    assert picture[100, 400, 0] == 50
    assert picture[100, 900, 0] == 90
