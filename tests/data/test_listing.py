import os
import socket

import pytest

from retable.data.listing import list_files
from retable.errors import DataError


def put(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_every_kind_of_entry(tmp_path):
    root, other = tmp_path / "root", tmp_path / "other"
    put(root, "b.PNG", "a b.jpg", "sub/a.jp2", "folder.png/c.tif", "notes.txt", "sub/labels.csv")
    put(root, ".DS_Store", "._a.jpg", ".ipynb_checkpoints/a-checkpoint.png", "__MACOSX/sub/._a.png", "Thumbs.db")
    put(other, "d.webp")
    os.mkfifo(root / "pipe.png")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(root / "s.png"))
    (root / "gone.png").symlink_to(root / "nothing.png")
    (root / "self.png").symlink_to(root / "self.png")
    (root / "linked").symlink_to(other)
    (root / "a-loop").symlink_to(root)
    (root / "linked.png").symlink_to(root / "b.PNG")
    found = list_files(root)
    assert list(found.files) == [
        "a b.jpg", "b.PNG", "folder.png/c.tif", "linked.png", "linked/d.webp", "sub/a.jp2",
    ]  # fmt: skip
    assert all(path == root / name for name, path in found.files.items())
    assert found.notes == [
        "2 files are broken links and were left out, first gone.png",
        "5 files are hidden or a system's own and were left out, first .DS_Store",
        "1 files are links to a folder that is read already and were left out, first a-loop",
        "2 files are neither files nor folders and were left out, first pipe.png",
        "2 files are no images by their ending and were left out, first notes.txt",
    ]


def test_endings_are_those_asked_for(tmp_path):
    put(tmp_path, "a.TXT", "a.png", "b.xml")
    assert list(list_files(tmp_path, {".txt"}, "annotations").files) == ["a.TXT"]


@pytest.mark.parametrize("name", [b"a\nb.png", b"a\r.png", b"a\x1b[2J.png", b"caf\xe9.png", "a\u2028b.png".encode()])
def test_names_that_no_list_can_hold(tmp_path, name):
    with open(os.path.join(os.fsencode(tmp_path), name), "wb"):
        pass
    with pytest.raises(DataError, match="rename the file") as caught:
        list_files(tmp_path)
    assert len(str(caught.value).splitlines()) == 1
    str(caught.value).encode()
    note = list_files(tmp_path, {".txt"}).notes[0]  # what does not count may have any name
    assert len(note.splitlines()) == 1
    note.encode()


def test_names_of_other_languages(tmp_path):
    names = ["a\u202fb.png", "cafe\u0301.png", "船 1.png", "#%= ,'\".png"]
    put(tmp_path, *names)
    assert sorted(list_files(tmp_path).files) == sorted(names)


def test_folder_without_permission(tmp_path):
    (tmp_path / "sub").mkdir(mode=0)
    if os.access(tmp_path / "sub", os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(DataError, match="sub: the folder cannot be read"):
        list_files(tmp_path)
