"""The loaders of a ship dataset: real files and scenes, shares of processes, names of splits."""

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from tests.data.faulty import damaged_jpeg, multiband_tiff

from retable.detection.data_module import DetectionDataModule
from retable.detection.schema import DetectionDataConfig, SplitCounts, SplitNames
from retable.errors import ConfigError, DataError
from retable.papers.larsd.datasets import DotaText
from retable.papers.larsd.scenes import ShipScenes
from retable.papers.larsd.schema import DotaTextConfig


def _module(root: str | None = None, files: Any = None, **changes: Any) -> DetectionDataModule:
    options: dict[str, Any] = {
        "scenes": partial(ShipScenes, profile="hrsd"), "counts": SplitCounts(train=10, val=5, test=7),
        "scene_size": 96, "image_size": 64, "batch_size": 4, "eval_batch_size": 2, "workers": 0,
        "cache_megabytes": 16, "tile_overlap": 16,
    }  # fmt: skip
    return DetectionDataModule(DetectionDataConfig(root=root, files=files, **{**options, **changes}), seed=1)


def _files(root: Path, splits: dict[str, int]) -> None:
    for split, count in splits.items():
        for folder in ("images", "labelTxt"):
            (root / split / folder).mkdir(parents=True)
        for index in range(count):
            cv2.imwrite(str(root / split / "images" / f"{index}.png"), np.full((64, 64, 3), 80, np.uint8))
            (root / split / "labelTxt" / f"{index}.txt").write_text("10 10 40 10 40 20 10 20 ship 0\n")


def test_scenes_make_batches_of_the_contract() -> None:
    data = _module()
    batch = next(iter(data.train_dataloader()))
    assert batch["images"].shape == (4, 3, 64, 64)
    assert 0 <= float(batch["images"].min()) <= float(batch["images"].max()) <= 1
    assert {key: value.shape[1:] for key, value in batch["targets"][0].items()} == {
        "boxes": (5,), "labels": (), "difficult": (),
    }  # fmt: skip
    images = [image for batch in data.test_dataloader() for image in batch["images"]]
    assert [tuple(image.shape) for image in images] == [(3, 96, 96)] * 7
    assert data.test_name == "test"
    assert data.provenance["kind"] == "synthetic"
    assert data.provenance["splits"] == {"train": 10, "val": 5, "test": 7}
    boxes = data.training_boxes()
    assert boxes.shape[1] == 5
    assert bool((boxes[:, 2:4] > 0).all())


def test_real_files_take_the_place_of_scenes(tmp_path: Path) -> None:
    _files(tmp_path, {"train": 5, "val": 2, "test": 3})
    data = _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig()))
    assert data.provenance["kind"] == "real"
    assert data.provenance["splits"] == {"train": 5, "val": 2, "test": 3}
    assert data.classes == ["ship"]
    assert torch.allclose(data.training_boxes()[:, 2:4], torch.tensor([[30.0, 10.0]] * 5))


def test_generated_scenes_are_learnt_from_beside_real_files(tmp_path: Path) -> None:
    _files(tmp_path, {"train": 5, "val": 2, "test": 3})
    data = _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig()), add_generated=True)
    assert data.provenance["splits"] == {"train": 15, "val": 2, "test": 3}
    assert data.provenance["kind"] == "mixed"
    train = data.datasets["train"]
    assert train.load(0)[0].shape == (64, 64, 3)
    assert train.load(5)[0].shape == (96, 96, 3)
    assert train.image_size(5) == (96, 96)
    assert len(train.image_ids) == 15
    with pytest.raises(ConfigError, match="add_generated=true needs a generator and real images"):
        _module(add_generated=True)


def test_a_test_reads_the_tested_split_alone(tmp_path: Path) -> None:
    _files(tmp_path, {"train": 8, "test": 3})
    whole = _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig())).provenance["fingerprints"]
    (tmp_path / "train" / "labelTxt" / "1.txt").write_text("nonsense")
    data = _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig()))
    data.roles = ("test",)
    assert data.provenance["splits"] == {"test": 3}
    assert data.provenance["fingerprints"]["test"] == whole["test"]
    assert sum(len(batch["images"]) for batch in data.test_dataloader()) == 3
    data = _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig()))
    data.roles = ("val",)
    with pytest.raises(DataError, match=r"1\.txt"):  # it is taken from the training images
        _ = data.provenance


def test_without_a_test_split_val_is_tested_under_its_own_name(tmp_path: Path) -> None:
    _files(tmp_path, {"train": 5, "val": 2})
    data = _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig(name="own")))
    assert data.test_name == "val"
    assert data.provenance["splits"] == {"train": 5, "val": 2}
    assert sum(len(batch["images"]) for batch in data.test_dataloader()) == 2


@pytest.mark.parametrize(
    ("suffix", "content", "changes", "message"),
    [
        ("jpg", damaged_jpeg(), {}, r"1 of 2 images cannot be used, first \S+/test/images/1\.jpg: .*damaged"),
        ("jpg", damaged_jpeg(), {"check": "headers"}, None),
        ("tif", multiband_tiff(np.ones((64, 64, 5), np.uint8)), {}, r"5 bands; say .* data\.bands"),
        ("tif", multiband_tiff(np.ones((64, 64, 5), np.uint8)), {"bands": [3, 2, 1]}, None),
        ("tif", multiband_tiff(np.ones((64, 64, 1), np.float32)), {}, r"type float32; say .* data\.range"),
        ("tif", multiband_tiff(np.ones((64, 64, 1), np.float32)), {"range": (0.0, 255.0)}, None),
        ("tif", multiband_tiff(np.full((64, 64, 1), 4000, np.uint16)), {}, r"use 12 of them.*data\.range=\[0,4095\]"),
        ("tif", multiband_tiff(np.full((64, 64, 1), 4000, np.uint16)), {"range": (0.0, 4095.0)}, None),
        ("tif", multiband_tiff(np.full((64, 64, 1), 40_000, np.uint16)), {}, None),
    ],
)
def test_images_that_cannot_be_used_are_refused_at_the_start(
    tmp_path: Path, suffix: str, content: bytes, changes: dict[str, Any], message: str | None
) -> None:
    _files(tmp_path, {"train": 1, "val": 1, "test": 2})
    (tmp_path / "test" / "images" / "1.png").unlink()
    (tmp_path / "test" / "images" / f"1.{suffix}").write_bytes(content)
    data = _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig()), **changes)
    if message is None:
        assert [len(batch["images"]) for batch in data.test_dataloader()] == [2]
    else:
        with pytest.raises(DataError, match=message) as caught:
            data.training_boxes()
        assert "\n" not in str(caught.value)


def test_bands_and_range_are_in_the_fingerprint_and_nothing_else_is(tmp_path: Path) -> None:
    _files(tmp_path, {"train": 1, "val": 1})
    found = [
        _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig()), **changes).provenance["fingerprint"]
        for changes in ({}, {"check": "headers"}, {"range": (0.0, 127.0)}, {"bands": [2]})
    ]
    assert found[0] == found[1]
    assert len(set(found)) == 3


def test_a_missing_val_is_held_out_of_train(tmp_path: Path) -> None:
    _files(tmp_path, {"train": 17, "test": 3})
    data = _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig()), batch_size=3)
    assert data.provenance["splits"] == {"train": 15, "val": 2, "test": 3}
    assert "no split val: it is every 8th image of train, 2 of 17" in data.provenance["notes"]
    held = set(data.datasets["val"].image_ids)
    assert len(held) == 2
    assert not held & set(data.datasets["train"].image_ids)
    parts = [data.datasets[role].provenance["fingerprint"] for role in ("train", "val", "test")]
    assert len(set(parts)) == 3


def test_a_split_of_ones_own_name_is_taken_or_missed(tmp_path: Path) -> None:
    _files(tmp_path, {"train": 5, "val": 2, "coast": 3})
    names = SplitNames(test="coast")
    data = _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig()), splits=names)
    assert data.test_name == "test"
    assert data.provenance["splits"] == {"train": 5, "val": 2, "test": 3}
    for names in (SplitNames(test="shore"), SplitNames(val="shore")):
        data = _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig()), splits=names)
        with pytest.raises(DataError, match="no split 'shore'"):
            data.datasets  # noqa: B018


def test_unannotated_test_images_are_not_tested(tmp_path: Path) -> None:
    _files(tmp_path, {"train": 5, "val": 2})
    (tmp_path / "test" / "images").mkdir(parents=True)
    data = _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig()))
    assert data.test_name == "val"


@pytest.mark.parametrize("remove", [False, True])
def test_duplicates_are_told_and_removed_if_asked_to(tmp_path: Path, remove: bool) -> None:
    _files(tmp_path, {"train": 4, "val": 2, "test": 2})
    for split, index, shade in (("train", 0, 1), ("train", 1, 2), ("train", 2, 3), ("val", 0, 5), ("val", 1, 6)):
        cv2.imwrite(str(tmp_path / split / "images" / f"{index}.png"), np.full((64, 64, 3), shade, np.uint8))
    line = "10 10 40 10 40 20 10 20 ship 0\n"
    turned = "40 10 40 20 10 20 10 10 ship 1\n"
    (tmp_path / "test" / "labelTxt" / "0.txt").write_text(line + "10 10 40 10 40 21 10 21 ship 0\n" + line + turned)
    choice = {"duplicates": "remove"} if remove else {}
    data = _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig()), batch_size=3, **choice)
    assert data.provenance["splits"] == {"train": 3 if remove else 4, "val": 2, "test": 2}
    assert len(data.datasets["test"].target(0)["boxes"]) == (2 if remove else 4)
    place = tmp_path / "test" / "labelTxt" / "0.txt"
    notes = [
        "1 images of train are in test too, first 3 as 0"
        + (", and were left out of train" if remove else "; data.duplicates=remove leaves them out"),
        f"2 objects of test repeat another one of their image, first {place.name}:3, and "
        + ("were removed" if remove else "are kept; data.duplicates=remove removes them"),
    ]
    assert data.provenance["notes"] == notes


def test_one_folder_for_train_and_test(tmp_path: Path) -> None:
    _files(tmp_path, {"train": 3, "val": 1})
    names = SplitNames(test="train")
    data = _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig()), splits=names)
    assert (
        "3 images of train are in test too, first 0 as 0" in data.provenance["notes"][0] + data.provenance["notes"][1]
    )
    data = _module(root=str(tmp_path), files=partial(DotaText, DotaTextConfig()), splits=names, duplicates="remove")
    with pytest.raises(DataError, match="all images of train are in"):
        data.datasets  # noqa: B018


def test_each_process_evaluates_its_own_images() -> None:
    indices = []
    for rank in range(3):
        data = _module()
        data.trainer = SimpleNamespace(world_size=3, global_rank=rank)  # type: ignore[assignment]
        indices += [index for batch in data.test_dataloader() for index in batch["indices"]]
    assert sorted(indices) == list(range(7))


def test_processes_share_the_global_batch() -> None:
    whole = next(iter(_module().train_dataloader()))["images"]
    parts = []
    for rank in range(2):
        data = _module()
        data.trainer = SimpleNamespace(world_size=2, global_rank=rank)  # type: ignore[assignment]
        parts.append(next(iter(data.train_dataloader()))["images"])
    assert torch.equal(torch.cat(parts), whole)
    data = _module(batch_size=3)
    data.trainer = SimpleNamespace(world_size=2, global_rank=0)  # type: ignore[assignment]
    with pytest.raises(ConfigError, match=r"data\.batch_size=3: must be divisible by the 2 processes"):
        data.train_dataloader()


def test_workers_change_nothing() -> None:
    first = [batch["images"] for batch in _module(workers=0).train_dataloader()]
    second = [batch["images"] for batch in _module(workers=2).train_dataloader()]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scenes": None}, "data.root has no value"),
        ({"root": "."}, "data.files names no loader"),
        ({"bands": [1, 2]}, r"data\.bands=\[1, 2\]: must be three bands, or one"),
        ({"range": (1.0, 1.0)}, r"data\.range=\[1\.0, 1\.0\]: must be two numbers, the smaller first"),
        ({"check": "all"}, "check=all: must be headers or decode"),
        ({"batch_size": 0}, "batch_size=0: must be 1 or more"),
        ({"eval_batch_size": -1}, "eval_batch_size=-1"),
    ],
)
def test_bad_values_are_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _module(**changes)
