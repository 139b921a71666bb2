"""Real scenes: manifests, VOC XML, YOLO text, splits by blocks, faults."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.papers.plates.tiny import crop, scene, write_image, write_manifest

from retable.errors import ConfigError, DataError
from retable.papers.plates.datasets.scenes import PlateFiles
from retable.papers.plates.datasets.schema import PlateFilesConfig


def read(root: Path, split: str = "train", **options: Any) -> PlateFiles:
    return PlateFiles(PlateFilesConfig(**options), root, split)


def test_a_manifest_has_boxes_countries_and_texts(tmp_path: Path) -> None:
    rows = [scene(f"{n:02d}", "KSA") for n in range(3)]
    rows += [scene("02", "KSA", "1,2,10,5"), "scenes/03.png,scene,,,,,,,,60,40,a", crop("00")]
    write_manifest(tmp_path, rows)
    found = [read(tmp_path, split) for split in ("train", "val")]
    assert PlateFiles.splits(tmp_path) == ["train", "val"]
    assert sum(map(len, found)) == 4
    train = found[0]
    assert train.image_ids[0] == "scenes/00.png"
    assert train.target(0)["boxes"].tolist() == [[10, 20, 40, 28]]
    assert train.country(0) == "ksa"
    assert train.plates(0)[0].text == "AB12"
    empty = next(data for data in found if "scenes/03.png" in data.image_ids)
    index = empty.image_ids.index("scenes/03.png")
    assert empty.target(index)["boxes"].shape == (0, 4)
    assert empty.country(index) == ""
    two = next(data for data in found if "scenes/02.png" in data.image_ids)
    assert len(two.plates(two.image_ids.index("scenes/02.png"))) == 2


def test_neighbours_stay_together(tmp_path: Path) -> None:
    write_manifest(tmp_path, [scene(f"{n:02d}", source="ab"[n % 2]) for n in range(48)])
    train, val = read(tmp_path), read(tmp_path, "val")
    assert (len(train), len(val)) == (36, 12)
    held = [int(name[7:9]) for name in val.image_ids]
    assert [number for number in held if number % 2 == 0] == [12, 14, 28, 30, 44, 46]  # of 24 in three stretches
    assert any("in runs of their order" in note for note in val.provenance["notes"])
    assert train.provenance["fingerprint"] != val.provenance["fingerprint"]


def test_a_column_split_overrules_blocks(tmp_path: Path) -> None:
    write_manifest(tmp_path, [scene(f"{n:02d}") for n in range(4)])
    path = tmp_path / "manifest.csv"
    head, *rows = path.read_text().splitlines()
    splits = ("train", "val", "test", "train")
    path.write_text("\n".join([f"{head},split", *(f"{row},{split}" for row, split in zip(rows, splits, strict=True))]))
    assert PlateFiles.splits(tmp_path) == ["test", "train", "val"]
    assert read(tmp_path).image_ids == ["scenes/00.png", "scenes/03.png"]


def _voc(name: str, box: tuple[int, int, int, int]) -> str:
    tags = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    numbers = "".join(f"<{tag}>{value}</{tag}>" for tag, value in tags)
    return f"<annotation><object><name>{name}</name><bndbox>{numbers}</bndbox></object></annotation>"


def _folder(root: Path, suffix: str, texts: list[str]) -> None:
    (root / "labels").mkdir(parents=True)
    for number, text in enumerate(texts):
        write_image(root / "images" / f"{number}.png", value=40 + number)
        (root / "labels" / f"{number}{suffix}").write_text(text)


def test_voc_and_yolo_say_the_same(tmp_path: Path) -> None:
    _folder(tmp_path / "voc", ".xml", [_voc("licence", (6, 10, 36, 20))] * 4)
    _folder(tmp_path / "yolo", ".txt", ["0 0.35 0.375 0.5 0.25\n"] * 3 + [""])
    voc = read(tmp_path / "voc", format="voc", country="BR")
    yolo = read(tmp_path / "yolo", format="yolo")
    assert (len(voc), len(yolo)) == (3, 3)
    assert voc.target(0)["boxes"].tolist() == [[6, 10, 36, 20]]
    assert np.allclose(yolo.target(0)["boxes"], voc.target(0)["boxes"])
    assert voc.country(0) == "br"
    assert yolo.country(0) == ""
    assert read(tmp_path / "yolo", "val", format="yolo").target(0)["boxes"].shape == (0, 4)


def test_one_of_several_classes_is_the_plate(tmp_path: Path) -> None:
    _folder(tmp_path, ".xml", [_voc("car", (0, 0, 50, 30)), *[_voc("plate", (6, 10, 36, 20))] * 3])
    with pytest.raises(DataError, match=r"several classes, car, plate; .* data.files.plate_class=NAME"):
        read(tmp_path, format="voc")
    found = read(tmp_path, format="voc", plate_class="plate")
    assert [len(found.target(index)["boxes"]) for index in range(3)] == [0, 1, 1]
    with pytest.raises(
        ConfigError, match=r"data.files.plate_class=number: there is no such class; there are car, plate"
    ):
        read(tmp_path, format="voc", plate_class="number")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (scene("09", box="10,20,30,0"), r"manifest.csv:2: the box .* has no area"),
        (
            scene("09", box="100,20,30,8"),
            r"manifest.csv:2: the box's centre \(115, 24\) lies outside the image of 60 x 40",
        ),
        (scene("09", box="10,20,x,8"), r"manifest.csv:2: w is 'x', which is not a number"),
        (scene("09", box="10,20,,8"), r"manifest.csv:2: only x, y, h of the box"),
        (scene("09", country="Mars"), r"manifest.csv:2: unknown country 'Mars'"),
    ],
)
def test_faults_are_told_with_file_and_row(tmp_path: Path, row: str, message: str) -> None:
    write_manifest(tmp_path, [row, *(scene(f"1{n}") for n in range(3))])
    with pytest.raises(DataError, match=message):
        read(tmp_path)


def test_what_is_no_collection_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="empty folder"):
        read(tmp_path)
    write_manifest(tmp_path, [crop("00")])
    with pytest.raises(DataError, match="no scenes, only crops"):
        read(tmp_path)
    write_manifest(tmp_path, [scene(f"{n:02d}") for n in range(4)])
    with pytest.raises(DataError, match="there is no split 'test'"):
        read(tmp_path, "test")
    _folder(tmp_path / "yolo", ".txt", ["0 6 10 36 20\n"] * 2)
    with pytest.raises(DataError, match=r"0.txt:1: YOLO's numbers are parts of width and height"):
        read(tmp_path / "yolo", format="yolo")
    with pytest.raises(DataError, match=r"reads .xml; give data.files.format=yolo"):
        read(tmp_path / "yolo", format="voc")
