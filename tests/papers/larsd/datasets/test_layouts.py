"""Folders as archives and tools leave them: read, or told with the key that reads them."""

import os

import pytest
from tests.papers.larsd.datasets.tiny_datasets import hrsc_xml, ssdd_xml, write_image, write_text

from retable.errors import DataError
from retable.papers.larsd.datasets import DotaText, Hrsc2016, Ssdd
from retable.papers.larsd.schema import AngledFilesConfig, DotaTextConfig, Hrsc2016Config

LINE = "10 10 30 10 30 20 10 20 ship 0\n"


def dota(root, split="train"):
    return DotaText(DotaTextConfig(), root, split)


def test_dota_as_its_archives_unpack(tmp_path):
    write_image(tmp_path / "train" / "images" / "images" / "P0.png")
    write_text(tmp_path / "train" / "labelTxt-v1.0" / "labelTxt" / "P0.txt", LINE)
    write_text(tmp_path / "train" / "labelTxt-v1.0" / "Train_Task2_gt" / "trainset_reclabelTxt" / "P0.txt", "wrong")
    write_image(tmp_path / "test" / "images" / "P1.png")  # without annotations
    assert dota(tmp_path).image_ids == ["P0"]
    assert DotaText.splits(tmp_path) == ["train"]
    with pytest.raises(DataError, match="no folder with annotations"):
        dota(tmp_path, "test")


@pytest.mark.parametrize(("folder", "split"), [("valid", "val"), ("Train", "train"), ("TESTING", "test")])
def test_split_folders_of_other_names(tmp_path, folder, split):
    write_image(tmp_path / folder / "Images" / "a.png")
    write_text(tmp_path / folder / "labeltxt" / "a.txt", LINE)
    assert DotaText.splits(tmp_path) == [split]
    assert dota(tmp_path, split).image_ids == ["a"]


def test_images_in_subfolders_and_as_jpeg_2000(dota_root):
    write_image(dota_root / "train" / "images" / "north" / "d.jp2")
    write_text(dota_root / "train" / "labelTxt" / "d.txt", LINE)
    assert dota(dota_root).image_ids == ["a", "b", "d"]
    assert dota(dota_root).load(2)[0].shape == (48, 64, 3)


def test_litter_is_counted_and_hurts_nobody(dota_root):
    images, labels = dota_root / "train" / "images", dota_root / "train" / "labelTxt"
    for path in (images / ".DS_Store", images / "._a.png", labels / "._a.txt", labels / "__MACOSX" / "a.txt"):
        write_text(path, "x")
    write_text(labels / ".ipynb_checkpoints" / "a-checkpoint.txt", "x")
    write_text(images / "Thumbs.db", "x")
    write_text(labels / "classes.txt", "ship\n")
    os.mkfifo(images / "pipe.png")
    (images / "gone.png").symlink_to(images / "nothing.png")
    dataset = dota(dota_root)
    assert dataset.image_ids == ["a", "b"]
    assert dataset.provenance["notes"] == [
        "train/images: 1 files are broken links and were left out, first gone.png",
        "train/images: 3 files are hidden or a system's own and were left out, first .DS_Store",
        "train/images: 1 files are neither files nor folders and were left out, first pipe.png",
        "train/labelTxt: 3 files are hidden or a system's own and were left out, first ._a.txt",
        "train/labelTxt: classes.txt has no image and was left out",
    ]
    write_text(labels / "gone.txt", LINE)
    with pytest.raises(DataError, match=r"first gone\.txt \(gone\.png is among the files that are broken links\)"):
        dota(dota_root)


def test_names_that_differ_in_letter_case_or_ending_alone(ssdd_root):
    write_text(ssdd_root / "Annotations" / "000002.XML", ssdd_xml())
    with pytest.raises(DataError, match=r"000002\.XML and 000002\.xml have the same name before the ending"):
        Ssdd(AngledFilesConfig(), ssdd_root)


def test_listed_image_that_is_a_broken_link(ssdd_root):
    path = ssdd_root / "JPEGImages" / "000002.jpg"
    path.unlink()
    path.symlink_to("nothing.jpg")
    with pytest.raises(DataError, match=r"first 000002 \(000002\.jpg is among the files that are broken links\)"):
        Ssdd(AngledFilesConfig(), ssdd_root)


def test_the_folder_above_or_below_is_named(tmp_path, hrsc_root, ssdd_root, dota_root):
    for dataset, config, root in (
        (Hrsc2016, Hrsc2016Config(), hrsc_root),
        (Ssdd, AngledFilesConfig(), ssdd_root),
        (DotaText, DotaTextConfig(), dota_root),
    ):
        parent = tmp_path / f"parent-{root.name}"
        parent.mkdir()
        moved = root.rename(parent / root.name)
        for place in (parent, moved / ("train" if dataset is DotaText else "ImageSets")):
            with pytest.raises(DataError, match=f"give data.root={moved}$"):
                dataset(config, place, "train")
            with pytest.raises(DataError, match=f"give data.root={moved}$"):
                dataset.splits(place)


def test_hrsc2016_without_lists(tmp_path):
    for base, names in (("Train", ("1", "2")), ("Test", ("3",))):
        for name in names:
            write_image(tmp_path / base / "AllImages" / f"{name}.bmp")
            write_text(tmp_path / base / "Annotations" / f"{name}.xml", hrsc_xml())
    assert Hrsc2016.splits(tmp_path) == ["test", "train", "trainval"]
    assert Hrsc2016(Hrsc2016Config(), tmp_path, "trainval").image_ids == ["1", "2"]
    assert Hrsc2016(Hrsc2016Config(), tmp_path, "test").image_ids == ["3"]
    write_text(tmp_path / "Test" / "Annotations" / "4.xml", hrsc_xml())
    with pytest.raises(DataError, match=r"1 annotations in .*Test.* have no image"):
        Hrsc2016(Hrsc2016Config(), tmp_path, "test")
    with pytest.raises(DataError, match=r"no list val\.txt"):
        Hrsc2016(Hrsc2016Config(), tmp_path, "val")


def test_ssdd_in_the_official_release(tmp_path):
    base = tmp_path / "RBox_SSDD" / "voc_style"
    write_image(base / "JPEGImages_train" / "1.jpg")
    write_text(base / "Annotations_train" / "1.xml", ssdd_xml())
    write_text(base / "ImageSets" / "Main" / "train.txt", "1")
    assert Ssdd(AngledFilesConfig(), tmp_path).image_ids == ["1"]
    assert Ssdd.splits(tmp_path) == ["train"]


@pytest.mark.parametrize("name", [b"a\nb.png", b"caf\xe9.png"])
def test_names_that_no_list_can_hold(dota_root, name):
    path = os.path.join(os.fsencode(dota_root / "train" / "images"), name)
    os.rename(dota_root / "train" / "images" / "a.png", path)
    with pytest.raises(DataError, match="rename the file") as caught:
        dota(dota_root)
    assert str(caught.value).isprintable()
