import os
from pathlib import Path

import pytest
from tests.papers.emoji.stand_in import write_classes, write_hands, write_image

from retable.errors import DataError
from retable.papers.emoji.classes import CLASSES, FACES
from retable.papers.emoji.datasets.files import class_label, list_drawings


def test_titles_and_spellings_name_classes() -> None:
    assert [class_label(title, "x") for title in FACES.titles] == list(range(8))
    for word in ("winking-face", " Winking Face ", "WINKING_FACE", "winking  face"):
        assert class_label(word, "x") == CLASSES.index("winking_face")


def test_one_folder_a_class(tmp_path: Path) -> None:
    write_classes(tmp_path, {"winking_face": 2, "neutral_face": 1})
    (tmp_path / "winking_face").rename(tmp_path / "Winking Face")
    write_image(tmp_path / "neutral_face" / "deeper" / "c.JPG")
    (tmp_path / ".hidden").mkdir()
    drawings, notes = list_drawings(tmp_path)
    assert [(drawing.name, drawing.label, drawing.hand) for drawing in drawings] == [
        ("Winking Face/0.png", 5, ""), ("Winking Face/1.png", 5, ""), ("neutral_face/0.png", 2, ""),
        ("neutral_face/deeper/c.JPG", 2, ""),
    ]  # fmt: skip
    assert notes == ["1 files are hidden or a system's own and were left out, first .hidden"]


def test_files_that_are_no_images_are_told(tmp_path: Path) -> None:
    write_classes(tmp_path, {"winking_face": 1})
    (tmp_path / "winking_face" / "notes.txt").write_text("x")
    (tmp_path / "README").write_text("x")
    _, notes = list_drawings(tmp_path)
    assert notes == ["2 files are no images by their ending and were left out, first README"]


def test_litter_pipes_and_links_do_not_count_as_drawings(tmp_path: Path) -> None:
    write_classes(tmp_path / "all", {"winking_face": 1, "neutral_face": 1})
    root, faces = tmp_path / "all", tmp_path / "all" / "winking_face"
    write_image(tmp_path / "elsewhere" / "deeper" / "c.png")
    for name in (".ipynb_checkpoints/0.png", "winking_face/.ipynb_checkpoints/0.png", "__MACOSX/winking_face/0.png"):
        write_image(root / name)
    for name in ("Thumbs.db", "._0.png", ".DS_Store"):
        (faces / name).write_bytes(b"")
    (faces / "folder.png").mkdir()
    (faces / "gone.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(faces / "pipe.png")
    write_image(root / "loose.png")
    (root / "neutral_face" / "more").symlink_to(tmp_path / "elsewhere")
    drawings, notes = list_drawings(root)
    assert [drawing.name for drawing in drawings] == [
        "neutral_face/0.png", "neutral_face/more/deeper/c.png", "winking_face/0.png",
    ]  # fmt: skip
    assert [note.partition(" were left out, first ")[::2] for note in notes] == [
        ("1 images lie in no class folder and", "loose.png"),
        ("1 files are broken links and", "winking_face/gone.png"),
        ("6 files are hidden or a system's own and", ".ipynb_checkpoints"),
        ("1 files are neither files nor folders and", "winking_face/pipe.png"),
    ]


def test_images_that_labels_csv_does_not_list_are_told(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c/d.png"):
        write_image(tmp_path / name)
    (tmp_path / "labels.csv").write_text("path,class\n./b.png,winking face\n")
    drawings, notes = list_drawings(tmp_path)
    assert [drawing.name for drawing in drawings] == ["b.png"]
    assert notes == ["2 images are not in labels.csv and were left out, first a.png"]


def test_labels_with_hands(tmp_path: Path) -> None:
    write_hands(tmp_path, ("angry_face", "winking_face"), ("ann", "bob"), 2)
    drawings, _ = list_drawings(tmp_path)
    assert len(drawings) == 8
    assert {drawing.hand for drawing in drawings} == {"ann", "bob"}
    assert drawings[0].path == tmp_path / "angry_face" / "ann_0.png"


def test_labels_without_hands_in_another_order(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_bytes("\ufeffclass,path\r\nFace with Tongue,.\\a.png\r\n".encode())
    ((drawing,), _) = list_drawings(tmp_path)
    assert (drawing.name, drawing.label, drawing.hand) == ("a.png", 6, "")


def test_the_first_line_may_have_capitals_and_blanks(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text("Path, class,HAND \na.png,winking_face,ann\n")
    ((drawing,), _) = list_drawings(tmp_path)
    assert (drawing.label, drawing.hand) == (5, "ann")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.png,angry_faces", r"labels\.csv:3: there is no class 'angry_faces'; did you mean angry_face\?"),
        ("a.png,xyz", r"labels\.csv:3: there is no class 'xyz'; there are slightly_smiling_face, "),
        ("b.png,angry_face", r"labels\.csv:3: there is no file .*b\.png"),
        ("a.png,", r"labels\.csv:3: no class"),
        (",angry_face", r"labels\.csv:3: no path"),
        ("a.png", r"labels\.csv:3: no class"),
        (
            "./first.png,angry_face",
            r"labels\.csv:3: first\.png is listed already, as first\.png in line 2; list it once",
        ),
        ("in/../first.png,angry_face", r"labels\.csv:3: in/\.\./first\.png is listed already, as first\.png in line 2"),
        ("{root}/first.png,angry_face", r"labels\.csv:3: /.*first\.png is listed already, as first\.png in line 2"),
    ],
)
def test_faults_in_labels_are_told_with_their_line(tmp_path: Path, line: str, message: str) -> None:
    for name in ("a.png", "first.png"):
        write_image(tmp_path / name)
    (tmp_path / "in").mkdir()
    line = line.replace("{root}", tmp_path.as_posix())
    (tmp_path / "labels.csv").write_text(f"path,class\nfirst.png,angry_face\n{line}\n")
    with pytest.raises(DataError, match=message):
        list_drawings(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"file,class\na.png,angry_face\n", r"labels\.csv:1: the column 'path' is missing"),
        (b"", r"labels\.csv:1: the column 'path' is missing"),
        (b"path,class,Class\na.png,angry_face,\n", r"labels\.csv:1: the column 'class' is there twice"),
        (b"path,class\n", "no drawings"),
        (b"path,class\n\xff\xfe,angry_face\n", "not a text file in UTF-8"),
    ],
)
def test_labels_that_are_none(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        list_drawings(tmp_path)


def test_an_unknown_folder_names_the_nearest_class(tmp_path: Path) -> None:
    write_classes(tmp_path, {"winking_face": 1})
    (tmp_path / "winking").mkdir()
    with pytest.raises(DataError, match=r"winking: there is no class 'winking'; did you mean winking_face\?"):
        list_drawings(tmp_path)


def test_an_empty_class_folder_and_an_empty_root(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no drawings; put images into folders named as the classes are"):
        list_drawings(tmp_path)
    (tmp_path / "winking_face").mkdir()
    with pytest.raises(DataError, match=r"winking_face: the class folder holds no image"):
        list_drawings(tmp_path)
