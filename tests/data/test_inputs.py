import logging
import os

import pytest

from retable.data.inputs import input_images
from retable.errors import DataError


def test_a_file_or_a_folder_with_its_subfolders(tmp_path, caplog):
    for name in ("b.png", "a b.jpg", "deeper/c.PNG", ".ipynb_checkpoints/b.png", "._b.png", "Thumbs.db", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.png")
    assert list(input_images(str(tmp_path / "b.png"))) == ["b.png"]
    with caplog.at_level(logging.WARNING):
        found = input_images(str(tmp_path))
    assert list(found) == ["a b.jpg", "b.png", "deeper/c.PNG"]
    assert found["deeper/c.PNG"] == tmp_path / "deeper" / "c.PNG"
    assert len(caplog.records) == 4  # hidden or litter, broken, special, no image
    assert all("left out, first" in record.message for record in caplog.records)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("https://example.org/a.png", "input=https://example.org/a.png: addresses are not read; download"),
        ("absent", "input=absent: there is no file or folder of this name"),
        ("pipe.png", "input=pipe.png: is neither a file nor a folder"),
        ("empty", "input=empty: there are no images"),
    ],
)
def test_what_is_no_image_is_told(tmp_path, monkeypatch, source, message):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError) as caught:
        input_images(source)
    assert str(caught.value).startswith(message)


def test_a_pattern_is_what_it_matches(tmp_path, caplog):
    for name in ("day 1/a.jpg", "day 1/b.png", "day 2/a.JPG", "day 2/notes.txt", "c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list(input_images(f"{tmp_path}/day*/a.*")) == ["day 1/a.jpg", "day 2/a.JPG"]
    assert list(input_images(f"{tmp_path}/**/*.jpg")) == ["c.jpg", "day 1/a.jpg"]
    assert "no images" not in caplog.text
    assert list(input_images(f"{tmp_path}/day 2/*")) == ["a.JPG"]
    assert "1 of 2 that are of the pattern are no images" in caplog.text
    with pytest.raises(DataError, match=r"no images are of this pattern"):
        input_images(f"{tmp_path}/*.gif")
