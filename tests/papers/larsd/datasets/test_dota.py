import numpy as np
import pytest
import torch
from tests.papers.larsd.datasets.tiny_datasets import write_image, write_text

from retable.boxes import box_to_corners
from retable.errors import DataError
from retable.papers.larsd.datasets import DotaText
from retable.papers.larsd.schema import DotaTextConfig


def label(root, text, name="a"):
    write_text(root / "train" / "labelTxt" / f"{name}.txt", text)


def test_splits_as_folders(dota_root):
    label(
        dota_root,
        "imagesource:GoogleEarth\ngsd:0.5\n10 12 30 12 30 20 10 20 ship 1\n\n40.5 10 44.5 10 44.5 30 40.5 30 ship\n",
    )
    assert DotaText.splits(dota_root) == ["test", "train"]
    dataset = DotaText(DotaTextConfig(), dota_root)
    assert dataset.image_ids == ["a", "b"]
    image, target = dataset.load(0)
    assert image.shape == (48, 64, 3)
    np.testing.assert_allclose(target["boxes"][0], [20, 16, 20, 8, 0], atol=1e-4)
    corners = box_to_corners(torch.from_numpy(target["boxes"][1])).numpy()
    assert sorted(map(tuple, np.round(corners, 3).tolist())) == [(40.5, 10), (40.5, 30), (44.5, 10), (44.5, 30)]
    assert target["difficult"].tolist() == [True, False]


@pytest.mark.parametrize("labels", ["labelTxt", "labels", "annfiles"])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif"])
def test_splits_as_lists(tmp_path, labels, suffix):
    for name in ("a", "b", "c"):
        write_image(tmp_path / "images" / f"{name}{suffix}")
        write_text(tmp_path / labels / f"{name}.txt", "" if name == "c" else "1 1 9 1 9 5 1 5 ship 0")
    write_text(tmp_path / "train.txt", f"b\n\nimages/c{suffix}\n")
    write_text(tmp_path / "ImageSets" / "val.txt", "\ufeffa\r\n")
    assert DotaText.splits(tmp_path) == ["train", "val"]
    train = DotaText(DotaTextConfig(), tmp_path, "train")
    assert train.image_ids == ["b", "c"]
    assert train.target(1)["boxes"].shape == (0, 5)
    assert DotaText(DotaTextConfig(), tmp_path, "val").image_ids == ["a"]


def test_splits_below_images(tmp_path):
    write_image(tmp_path / "images" / "train" / "a.png")
    write_text(tmp_path / "labels" / "train" / "a.txt", "1 1 9 1 9 5 1 5 ship 0")
    assert DotaText(DotaTextConfig(), tmp_path, "train").image_ids == ["a"]
    assert DotaText.splits(tmp_path) == ["train"]


def test_quadrilateral_becomes_its_least_rectangle(dota_root):
    label(dota_root, "10 10 30 12 30 20 10 20 ship 0")
    np.testing.assert_allclose(
        DotaText(DotaTextConfig(), dota_root).target(0)["boxes"], [[20, 15, 20, 10, 0]], atol=1e-4
    )


def test_own_classes_and_others(dota_root):
    label(dota_root, "10 12 30 12 30 20 10 20 tug 0\n10 12 30 12 30 20 10 20 crane 0\n")
    with pytest.raises(DataError, match=r"a\.txt:2: unknown class 'crane'; known are ship, tug"):
        DotaText(DotaTextConfig(classes=["ship", "tug"]), dota_root)
    dataset = DotaText(DotaTextConfig(classes=["ship", "tug"], ignore_other_classes=True), dota_root)
    assert dataset.target(0)["labels"].tolist() == [1]
    assert dataset.provenance["notes"] == ["objects of other classes are left out: 1 crane"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10 12 30 12 30 20 10 20", r"a\.txt:1: 8 fields"),
        ("\n10 12 30 12 30 20 10 x ship 0", r"a\.txt:2: coordinate 8 is 'x'"),
        ("10 12 30 12 30 20 10 nan ship 0", r"a\.txt:1: coordinate 8 is 'nan'"),
        ("10 12 30 12 30 12 10 12 ship 0", r"a\.txt:1: .*no area"),
        ("10 12 10 12 10 12 10 12 ship 0", r"a\.txt:1: .*no area"),
        ("110 12 130 12 130 20 110 20 ship 0", r"a\.txt:1: .*\(120, 16\) lies outside the image of 64 x 48"),
        ("10 12 30 12 30 20 10 20 ship maybe", r"a\.txt:1: difficult is 'maybe'"),
        ("10 12 30 12 30 20 10 20 boat 0", r"a\.txt:1: unknown class 'boat'; known are ship"),
    ],
)
def test_bad_lines(dota_root, text, message):
    label(dota_root, text)
    with pytest.raises(DataError, match=message):
        DotaText(DotaTextConfig(), dota_root)


def test_image_without_annotation_and_the_reverse(dota_root):
    (dota_root / "train" / "labelTxt" / "b.txt").unlink()
    with pytest.raises(DataError, match=r"1 of 2 images have no annotation in .*first b"):
        DotaText(DotaTextConfig(), dota_root)
    label(dota_root, "", "b")
    (dota_root / "train" / "images" / "a.png").unlink()
    with pytest.raises(DataError, match=r"1 annotations in .* have no image .*first a\.txt"):
        DotaText(DotaTextConfig(), dota_root)


def test_missing_split_and_folders(dota_root, tmp_path):
    with pytest.raises(DataError, match=r"no split 'val' .*found test, train"):
        DotaText(DotaTextConfig(), dota_root, "val")
    write_image(tmp_path / "bare" / "train" / "images" / "a.png")
    with pytest.raises(DataError, match="no folder with annotations"):
        DotaText(DotaTextConfig(), tmp_path / "bare", "train")
    (tmp_path / "none" / "train" / "images").mkdir(parents=True)
    (tmp_path / "none" / "train" / "labels").mkdir()
    with pytest.raises(DataError, match="has no images"):
        DotaText(DotaTextConfig(), tmp_path / "none", "train")
