"""Photos as batches."""

import dataclasses
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from retable.errors import ConfigError, DataError
from retable.papers.barcodes.datasets.data_module import BarcodesDataModule
from retable.papers.barcodes.datasets.parts import Photo, varied
from retable.papers.barcodes.datasets.schema import BarcodesConfig, PhotoAugmentation, PhotoCounts
from retable.papers.barcodes.scenes import BarcodeScenes
from retable.synthetic.rng import RandomStream

CONFIG = BarcodesConfig(
    scenes=partial(BarcodeScenes), scene_size=160, image_size=128, batch_size=4, eval_batch_size=3, workers=0,
    counts=PhotoCounts(8, 3, 3),
)  # fmt: skip


def photos(root: Path, count: int) -> Path:
    """A folder in the notebook's layout, of photos of all kinds, with dark symbols on white."""
    (root / "Images").mkdir(parents=True)
    rows = []
    for index in range(count):
        image = np.full((60, 100), 250, np.uint8)
        image[20:40, 30:80] = 10
        name = f"{index:02d}.png"
        if index % 4 == 1:
            image = np.dstack([image, image, image, np.full_like(image, 255)])
        elif index % 4 == 2:
            image = image.astype(np.uint16) * 257
        cv2.imwrite(str(root / "Images" / name), image)
        if index % 4 == 3:  # stored on its side
            name = f"{index:02d}.jpg"
            exif = PillowImage.Exif()
            exif[0x0112] = 6
            PillowImage.fromarray(np.rot90(image)).save(root / "Images" / name, exif=exif)
            (root / "Images" / f"{index:02d}.png").unlink()
            rows.append(f"{name},4006381333931,20,70,20,20,40,20,40,70,ean13")
        else:
            rows.append(f"{name},4006381333931,30,20,80,20,80,40,30,40,ean13")
    (root / "markup.csv").write_text("\n".join(rows), "utf-16")
    return root


def test_generated_batches() -> None:
    data = BarcodesDataModule(CONFIG, 1)
    data.setup("fit")
    first, second = list(data.train_dataloader())
    assert first["images"].shape == (4, 3, 128, 128)
    assert 0 <= first["images"].min() < first["images"].max() <= 1
    for corners, codes, others in zip(first["corners"], first["codes"], first["others"], strict=True):
        assert corners.shape == (len(codes), 4, 2)
        assert others.shape[1:] == (4, 2)
        assert ((corners >= 0) & (corners <= 128)).all()
    assert sorted([*first["indices"].tolist(), *second["indices"].tolist()]) == list(range(8))
    assert first["scales"].tolist() == pytest.approx([160 / 128] * 4)
    assert data.provenance["kind"] == "synthetic"
    assert data.provenance["splits"] == {"train": 8, "val": 3, "test": 3}
    assert len(list(data.val_dataloader())) == 1
    loader = data.train_dataloader()
    loader.sampler.set_epoch(1)  # type: ignore[attr-defined]
    later = torch.cat([batch["images"][batch["indices"].argsort()] for batch in loader])
    again = torch.cat([batch["images"][batch["indices"].argsort()] for batch in (first, second)])
    assert not torch.equal(later, again), "each epoch has others"


def test_real_photos_of_all_kinds(tmp_path: Path) -> None:
    """The symbols, black, are where their corners say, in photos that are grey, RGBA, of 16 bits, or turned."""
    root = str(photos(tmp_path, 8))
    data = BarcodesDataModule(dataclasses.replace(CONFIG, root=root), 1)
    data.roles = ["test"]
    batches = list(data.test_dataloader())
    assert data.provenance["kind"] == "real"
    assert data.provenance["splits"] == {"test": 8}, "none is learnt from: all are tested"
    for batch in batches:
        for image, corners, codes in zip(batch["images"], batch["corners"], batch["codes"], strict=True):
            assert codes == ("4006381333931",)
            low, high = corners[0].amin(0), corners[0].amax(0)
            (left, top), (right, bottom) = (low + 1).ceil().int().tolist(), (high - 1).int().tolist()
            assert image[:, top:bottom, left:right].max() < 0.2
            assert image[:, top:bottom, left - 8 : left - 4].min() > 0.8


def test_real_photos_are_split_in_blocks(tmp_path: Path) -> None:
    root = str(photos(tmp_path, 20))
    data = BarcodesDataModule(dataclasses.replace(CONFIG, root=root, train_on="real"), 1)
    assert data.provenance["splits"] == {"train": 16, "val": 2, "test": 2}
    names = {role: {photo.name for photo in found[0].photos} for role, found in data.parts.items()}  # type: ignore[attr-defined]
    assert len(set.union(*names.values())) == 20
    both = BarcodesDataModule(dataclasses.replace(CONFIG, root=root, train_on="both"), 1)
    assert both.provenance["kind"] == "mixed"
    assert both.provenance["splits"] == {"train": 24, "val": 2, "test": 2}
    with pytest.raises(DataError, match="no photos of this set"):
        _ = BarcodesDataModule(dataclasses.replace(CONFIG, root=root, group="7"), 1).parts


def test_boxes_are_tested_on_but_not_learnt_from(tmp_path: Path) -> None:
    root = photos(tmp_path, 10)
    (root / "markup.csv").unlink()
    names = sorted(path.name for path in (root / "Images").iterdir())
    rows = ["path,set,code,xmin,ymin,xmax,ymax", *(f"{name},1,4006381333931,20,20,80,40" for name in names)]
    (root / "labels.csv").write_text("\n".join(rows))
    data = BarcodesDataModule(dataclasses.replace(CONFIG, root=str(root), group="1"), 1)
    data.roles = ["test"]
    assert all(bool(batch["is_boxes"].all()) for batch in data.test_dataloader())
    with pytest.raises(DataError, match="upright boxes"):
        _ = BarcodesDataModule(dataclasses.replace(CONFIG, root=str(root), train_on="real"), 1).parts


def test_varied_photos_keep_their_corners_on_the_symbol() -> None:
    image = np.full((96, 96, 3), 240, np.uint8)
    image[40:60, 30:70] = 10
    corners = np.array([(30.0, 40.0), (70.0, 40.0), (70.0, 60.0), (30.0, 60.0)])
    for index in range(5):
        seen = varied(Photo(image, [corners], ("",), []), PhotoAugmentation(camera=0.0), RandomStream(index))
        mask = np.zeros((96, 96), np.uint8)
        cv2.fillConvexPoly(mask, np.rint((seen.corners[0] - 0.5) * 16).astype(np.int32), 1, shift=4)
        dark = (seen.image.mean(2) < 120).astype(np.uint8)
        assert (mask & dark).sum() > 0.9 * (mask | dark).sum()


def test_what_does_not_go_together_is_told() -> None:
    with pytest.raises(ConfigError, match=r"data\.root=FOLDER"):
        BarcodesConfig(train_on="real")
    with pytest.raises(ConfigError, match="no real photos"):
        BarcodesConfig(root="x", test_on="generated")
    with pytest.raises(ConfigError, match="multiple of 64"):
        BarcodesConfig(image_size=100)
