"""Cars cut from a small Cityscapes: which are kept, how they look, and builds that are interrupted."""

import csv
import json
import multiprocessing
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.papers.cars.cityscapes import tiny_cityscapes
from tests.papers.cars.cityscapes.tiny_cityscapes import GREEN, ColourDetector

from retable.errors import CheckpointError, ConfigError, DataError, RetableError
from retable.papers.cars.cityscapes import pool, process_image
from retable.papers.cars.cityscapes.builder import CityscapesCars
from retable.papers.cars.cityscapes.files import list_sources
from retable.papers.cars.cityscapes.schema import CityscapesCarsConfig, Form

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

KEPT = [
    "train_aachen_000000_000019_26000.png", "train_bochum_000000_000313_26000.png",
    "val_munster_000000_000019_26007.png",
]  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tiny_cityscapes.write(tmp_path / "cityscapes")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"weights")
    return path


def _builder(root: Path, output: Path, weights: Path | str, **changed: Any) -> CityscapesCars:
    settings: dict[str, Any] = {
        "root": str(root), "output": str(output), "splits": ["train", "val"], "weights": str(weights),
        "detector": partial(ColourDetector, inset=0.5), "min_side": 6, "workers": 1, "accelerator": "cpu", **changed,
    }  # fmt: skip
    return CityscapesCars(CityscapesCarsConfig(**settings))


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "record.json"
    }


def _image(folder: Path, name: str) -> Any:
    image = cv2.imread(str(folder / "images" / name), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB if image.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def test_keeps_what_the_detector_is_sure_of_and_tells_the_rest(root: Path, weights: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    _builder(root, output, weights).build({"command": "c"})
    assert sorted(path.name for path in (output / "images").iterdir()) == KEPT
    with (output / "instances.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["photo"].split("/")[1], row["instance"], row["outcome"]) for row in rows] == [
        ("aachen", "26000", "kept"), ("aachen", "26001", "low_confidence"), ("aachen", "26003", "no_car"),
        ("aachen", "26012", "too_small"), ("aachen", "26", "group"), ("bochum", "26000", "kept"),
        ("bochum", "26001", "elsewhere"), ("munster", "26007", "kept"),
    ]  # fmt: skip
    first = rows[0]
    assert first["file"] == f"images/{KEPT[0]}"
    assert float(first["confidence"]) == pytest.approx(250 / 255, abs=1e-6)
    assert [int(first[f"mask_{name}"]) for name in ("left", "top", "right", "bottom")] == [4, 4, 24, 16]
    # the predicted box from 5.5, 4.5 to 24.5, 15.5, rounded outwards
    assert [int(first[f"box_{name}"]) for name in ("left", "top", "right", "bottom")] == [5, 4, 25, 16]
    assert (int(first["height"]), int(first["width"])) == (12, 20)
    assert rows[3]["confidence"] == rows[4]["mask_left"] == rows[1]["box_left"] == ""
    record = json.loads((output / "record.json").read_text())
    assert record["outcomes"] == {
        "kept": 3, "group": 1, "too_small": 1, "no_car": 1, "low_confidence": 1, "elsewhere": 1,
    }  # fmt: skip
    assert record["outcomes_by_split"]["val"]["kept"] == 1
    assert record["photographs"] == {"train": 3, "val": 1}
    assert (record["images"], record["command"], record["notes"]) == (3, "c", [])
    assert record["settings"]["boxes"].startswith("detector weights.pth sha256:")
    assert record["settings"]["detector"] == {"inset": 0.5}
    assert set(record["meanings"]) == set(record["outcomes"])
    assert len(record["fingerprint"]) == 64
    assert cv2.imread(str(output / "contact_sheet.png")).std() > 10
    assert cv2.imread(str(output / "dropped.png")).std() > 10
    assert not list(output.rglob(".*"))


def test_pictures_are_cropped_to_the_box_and_green_outside_the_mask(root: Path, weights: Path, tmp_path: Path) -> None:
    _builder(root, tmp_path / "out", weights).build({})
    image = _image(tmp_path / "out", KEPT[0])
    assert image.shape == (12, 20, 3)
    assert (image[:, :19] == (250, 0, 30)).all()  # its corner pixel is beyond the box's left side
    assert (image[:, 19] == GREEN).all()  # the box reaches beyond the mask's right side
    _builder(root, tmp_path / "frame", weights, crop=False).build({})
    frame = _image(tmp_path / "frame", KEPT[0])
    assert frame.shape == (48, 96, 3)
    assert (frame[4, 4] == GREEN).all()
    car = (frame != GREEN).any(axis=2)
    assert car.sum() == 20 * 12 - 1
    assert (frame[car] == (250, 0, 30)).all()


def test_rgba_is_transparent_outside_the_mask(root: Path, weights: Path, tmp_path: Path) -> None:
    _builder(root, tmp_path / "out", weights, form=Form.rgba, crop=False).build({})
    image = _image(tmp_path / "out", KEPT[0])
    assert image.shape == (48, 96, 4)
    assert set(np.unique(image[..., 3])) == {0, 255}
    assert (image[..., 3] == 255).sum() == 20 * 12 - 1
    assert (image[image[..., 3] == 0][:, :3] == GREEN).all()  # for readers that drop the transparency


@pytest.mark.parametrize("form", list(Form))
def test_resized_pictures_are_square_and_keep_proportions(
    root: Path, weights: Path, tmp_path: Path, form: Form
) -> None:
    _builder(root, tmp_path / "out", weights, size=10, form=form).build({})
    image = _image(tmp_path / "out", KEPT[0])  # 12 x 20
    assert image.shape[:2] == (10, 10)
    assert (image[[0, 1, 8, 9], :, :3] == GREEN).all()
    middle = image[2:8]
    if form is Form.rgb:
        assert (middle[:, :9] == (250, 0, 30)).all()
        assert 51 < middle[0, 9, 0] < 250  # half a car
    else:
        difference = middle[..., :3].astype(int) - (250, 0, 30)
        assert abs(difference).max() <= 2  # no green rim under the half transparent column
        assert set(np.unique(middle[:, :9, 3])) == {255}
        assert abs(int(middle[0, 9, 3]) - 128) <= 1


def test_without_weights_every_car_that_is_large_enough_is_cut_to_its_mask(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _builder(root, tmp_path / "out", "none").build({})
    record = json.loads((tmp_path / "out" / "record.json").read_text())
    assert (record["outcomes"]["kept"], record["outcomes"]["too_small"]) == (6, 1)
    assert record["settings"]["boxes"] == "masks"
    assert "no weights for the detector" in record["notes"][0]
    assert "no weights for the detector" in caplog.text
    image = _image(tmp_path / "out", KEPT[0])
    assert image.shape == (12, 20, 3)
    assert (image[0, 0] == GREEN).all()
    assert (image[0, 1:] == (250, 0, 30)).all()


def test_without_a_download_it_goes_on_without_a_detector(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retable.papers.cars.cityscapes.detector.download_address", lambda address: None)
    _builder(root, tmp_path / "out", "coco").build({})
    assert json.loads((tmp_path / "out" / "record.json").read_text())["settings"]["boxes"] == "masks"


def test_several_processes_make_the_files_of_one_interrupted_or_not(
    root: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _builder(root, tmp_path / "one", weights).build({})
    as_completed = pool.as_completed

    def interrupted(futures: Any) -> Any:
        yield next(as_completed(futures))
        raise KeyboardInterrupt

    several = _builder(root, tmp_path / "several", weights, workers=2)
    with monkeypatch.context() as patched:
        patched.setattr(pool, "as_completed", interrupted)
        with pytest.raises(KeyboardInterrupt):
            several.build({})
    assert not multiprocessing.active_children()
    assert 1 <= len(list((tmp_path / "several" / "parts").rglob("*.json"))) <= 4
    several.build({})
    assert _files(tmp_path / "one") == _files(tmp_path / "several")
    first, second = (json.loads((tmp_path / name / "record.json").read_text()) for name in ("one", "several"))
    assert first["fingerprint"] == second["fingerprint"]


def test_an_interrupted_build_goes_on(
    root: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    process = process_image.process_photograph

    def counting(source: Any, *others: Any) -> Any:
        seen.append(source.stem)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return process(source, *others)

    monkeypatch.setattr(pool, "process_photograph", counting)
    output = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        _builder(root, output, weights).build({})
    assert not (output / "record.json").exists()
    (output / "images" / KEPT[0]).unlink()  # its photograph is done again
    (output / "images" / ".half.123.png").write_bytes(b"what a killed process leaves")
    _builder(root, output, weights).build({})
    assert seen[3:] == ["aachen_000000_000019", "bochum_000000_000313", "munster_000000_000019"]
    _builder(root, tmp_path / "at_once", weights).build({})
    assert _files(output) == _files(tmp_path / "at_once")
    record = json.loads((output / "record.json").read_text())
    assert record["photographs_of_earlier_calls"] == 1
    count = len(seen)
    _builder(root, output, weights).build({})  # complete: nothing to do
    assert len(seen) == count


def test_a_folder_of_other_settings_or_of_something_else_is_refused(root: Path, weights: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    _builder(root, output, weights).build({})
    with pytest.raises(ConfigError, match=r"was begun with crop=True, and now it is False; give the same, or another"):
        _builder(root, output, weights, crop=False).build({})
    with pytest.raises(ConfigError, match="was begun with boxes=detector"):
        _builder(root, output, "none").build({})
    with pytest.raises(ConfigError, match="holds something else; give a new or an empty folder"):
        _builder(root, root, weights).build({})


def test_photographs_that_cannot_be_used_are_told_and_the_others_done(
    root: Path, weights: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photo = root / "leftImg8bit" / "train" / "aachen" / "aachen_000000_000019_leftImg8bit.png"
    whole = photo.read_bytes()
    photo.write_bytes(whole[:-20])
    mask = root / "gtFine" / "val" / "munster" / "munster_000000_000019_gtFine_instanceIds.png"
    ids = cv2.imread(str(mask), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(mask), ids[:-4])
    output = tmp_path / "out"
    with pytest.raises(DataError, match=r"2 of 4 photographs could not be used, first: .*truncated"):
        _builder(root, output, weights).build({})
    assert f"{mask}: 96 x 44 pixels, but munster_000000_000019_leftImg8bit.png has 96 x 48" in caplog.text
    assert [path.name for path in (output / "images").iterdir()] == [KEPT[1]]
    assert not (output / "record.json").exists()
    photo.write_bytes(whole)
    cv2.imwrite(str(mask), ids)
    _builder(root, output, weights).build({})
    assert sorted(path.name for path in (output / "images").iterdir()) == KEPT


def test_a_process_that_dies_is_told(root: Path, tmp_path: Path) -> None:
    config = CityscapesCarsConfig(root=str(root), output=str(tmp_path / "out"))
    sources, _ = list_sources(root, ["train"])
    with pytest.raises(RetableError, match="a process ended before its work was done"):
        list(pool.process_all(sources, config, tmp_path / "out", tiny_cityscapes.die, 2))
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"min_confidence": 90}, "min_confidence=90: must be from 0 to 1"),
        ({"workers": 0}, "workers=0: must be 1 or more"),
        ({"size": 0}, "size=0: must be 1 or more"),
        ({"background": (1, 2, 256)}, r"background=\[1, 2, 256\]: each must be from 0 to 255"),
        ({"background": (1, 2)}, r"background=\[1, 2\]: must be three numbers"),
        ({"accelerator": "tpu"}, "accelerator=tpu: must be auto, cpu or gpu"),
        ({"splits": []}, "splits="),
        ({"splits": ["train", "train"]}, "splits="),
    ],
)
def test_values_that_cannot_work_are_told(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _builder(tmp_path, tmp_path / "out", "none", **changed)


def test_weights_that_are_not_there_are_told_before_anything_is_written(root: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="weights: there is no file"):
        _builder(root, tmp_path / "out", tmp_path / "absent.pth").build({})
    assert not (tmp_path / "out").exists()
