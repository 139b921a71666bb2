"""Videos, written by the test."""

from pathlib import Path

import numpy as np
import pytest

from retable.data.videos import Video, VideoWriter, is_video
from retable.errors import DataError


def write_video(path: Path, frames: int = 10, size: tuple[int, int] = (48, 64), rate: float = 5) -> Path:
    """Writes a video that gets lighter by 20 grey levels a frame."""
    writer = VideoWriter(path, rate, size)
    for number in range(frames):
        writer.write(np.full((*size, 3), 20 * number % 240, np.uint8))
    writer.close()
    return path


def test_frames_have_numbers_times_and_pixels(tmp_path: Path) -> None:
    video = Video(write_video(tmp_path / "a.mp4"))
    frames = list(video.frames())
    assert video.rate == 5
    assert [frame.number for frame in frames] == list(range(10))
    assert [frame.seconds for frame in frames] == pytest.approx([number / 5 for number in range(10)])
    for frame in frames:
        assert frame.image.shape == (48, 64, 3)
        assert float(frame.image.mean()) == pytest.approx(20 * frame.number, abs=6)


def test_every_third_frame(tmp_path: Path) -> None:
    frames = list(Video(write_video(tmp_path / "a.mp4")).frames(every=3))
    assert [(frame.number, frame.seconds) for frame in frames] == [(0, 0), (3, 0.6), (6, 1.2), (9, 1.8)]
    assert float(frames[2].image.mean()) == pytest.approx(120, abs=6)


def test_what_is_no_video_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(DataError, match=r"a\.mp4: cannot be opened as a video"):
        Video(tmp_path / "a.mp4")


def test_a_video_that_ends_early_is_told_after_its_frames(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.avi", 40)
    cut = cut_off(whole, tmp_path / "cut.avi")
    frames = Video(cut).frames()
    assert [next(frames).number for _ in range(10)] == list(range(10))
    with pytest.raises(DataError, match=r"cut\.avi: the video ends early, after \d\d of 40 frames"):
        list(frames)


def cut_off(path: Path, cut: Path) -> Path:
    """Copies the first two thirds of a file."""
    data = path.read_bytes()
    cut.write_bytes(data[: 2 * len(data) // 3])
    return cut


def test_videos_are_known_by_their_ending() -> None:
    assert is_video(Path("a.MP4"))
    assert not is_video(Path("a.jpg"))
