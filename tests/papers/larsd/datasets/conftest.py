import pytest
from tests.papers.larsd.datasets.tiny_datasets import hrsc_xml, ssdd_xml, write_image, write_text


@pytest.fixture
def hrsc_root(tmp_path):
    """Five images in the published layout: two to train on, one to validate, two to test."""
    root = tmp_path / "HRSC2016"
    splits = {"train": ("100000001", "100000002"), "val": ("100000004",), "test": ("100000003", "100000005")}
    splits["trainval"] = splits["train"] + splits["val"]
    for split, names in splits.items():
        write_text(root / "ImageSets" / f"{split}.txt", "\n".join(names))
        for name in names:
            write_image(root / "FullDataSet" / "AllImages" / f"{name}.bmp")
            write_text(root / "FullDataSet" / "Annotations" / f"{name}.xml", hrsc_xml())
    return root


@pytest.fixture
def ssdd_root(tmp_path):
    """Three images: two to train on, one to validate."""
    root = tmp_path / "ssdd"
    for split, names in {"train": ("000002", "000003"), "val": ("000007",)}.items():
        write_text(root / "ImageSets" / "Main" / f"{split}.txt", "\n".join(names) + "\n\n")
        for name in names:
            write_image(root / "JPEGImages" / f"{name}.jpg")
            write_text(root / "Annotations" / f"{name}.xml", ssdd_xml())
    return root


@pytest.fixture
def dota_root(tmp_path):
    """Splits as folders: two images to train on, one to test."""
    root = tmp_path / "own"
    for split, names in {"train": ("a", "b"), "test": ("c",)}.items():
        for name in names:
            write_image(root / split / "images" / f"{name}.png")
            write_text(root / split / "labelTxt" / f"{name}.txt", "10 10 30 10 30 20 10 20 ship 0\n")
    return root
