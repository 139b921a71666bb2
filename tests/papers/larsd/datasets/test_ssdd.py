import os
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import torch
from tests.papers.larsd.datasets.tiny_datasets import ssdd_xml, write_image, write_text

from retable.boxes import box_to_corners
from retable.errors import DataError
from retable.papers.larsd.datasets import Ssdd
from retable.papers.larsd.schema import AngledFilesConfig


def corner_distance(corners, expected):
    """Largest coordinate difference of two quadrilaterals, over starting corners and both senses."""
    turns = [np.roll(order, shift, 0) for order in (corners, corners[::-1]) for shift in range(4)]
    return min(float(np.abs(turned - expected).max()) for turned in turns)


def test_splits_boxes_and_images(ssdd_root):
    assert Ssdd.splits(ssdd_root) == ["train", "val"]
    dataset = Ssdd(AngledFilesConfig(), ssdd_root)
    assert len(dataset) == 2
    assert dataset.image_ids == ["000002", "000003"]
    image, target = dataset.load(1)
    assert image.shape == (48, 64, 3)
    assert target["boxes"].shape == (1, 5)
    assert dataset.provenance["splits"] == {"train": 2}


@pytest.mark.parametrize(("width", "height", "angle"), [(8, 24, 60.0), (24, 8, 60.0), (24, 8, 90.0), (10, 10, 45.0)])
def test_corners_are_those_of_opencv(ssdd_root, width, height, angle):
    write_text(ssdd_root / "Annotations" / "000002.xml", ssdd_xml([(30, 20, width, height, angle)]))
    box = Ssdd(AngledFilesConfig(), ssdd_root).target(0)["boxes"]
    assert box[0, 2] >= box[0, 3]
    corners = box_to_corners(torch.from_numpy(box))[0].numpy()
    assert corner_distance(corners, cv2.boxPoints(((30, 20), (width, height), angle))) < 1e-4


def test_official_layout_with_folders_for_splits(tmp_path):
    base = tmp_path / "voc_style"
    write_image(base / "JPEGImages_test" / "1.jpg")
    write_text(base / "Annotations_test" / "1.xml", ssdd_xml())
    write_text(base / "ImageSets" / "Main" / "test.txt", "1")
    assert Ssdd(AngledFilesConfig(), tmp_path, "test").image_ids == ["1"]


def test_horizontal_boxes_and_unknown_class(ssdd_root):
    path = ssdd_root / "Annotations" / "000002.xml"
    write_text(path, "<annotation><object><name>ship</name><bndbox/></object></annotation>")
    with pytest.raises(DataError, match=r"000002\.xml, object 1: no <rotated_bndbox>"):
        Ssdd(AngledFilesConfig(), ssdd_root)
    write_text(path, ssdd_xml(name="aeroplane"))
    with pytest.raises(DataError, match="unknown class 'aeroplane'; known are ship"):
        Ssdd(AngledFilesConfig(), ssdd_root)
    write_text(path, ssdd_xml(difficult=3))
    with pytest.raises(DataError, match="<difficult> is '3'; valid are 0 and 1"):
        Ssdd(AngledFilesConfig(), ssdd_root)


@pytest.mark.skipif(
    "RETABLE_REAL_DATA" not in os.environ, reason="RETABLE_REAL_DATA does not name a folder of real data"
)
def test_real_boxes_agree_with_their_corner_points():
    root = Path(os.environ["RETABLE_REAL_DATA"]) / "ssdd"
    worst, count = 0.0, 0
    for split, images in (("train", 812), ("val", 116)):
        dataset = Ssdd(AngledFilesConfig(), root, split)
        assert len(dataset) == images
        for index, image_id in enumerate(dataset.image_ids):
            tree = ElementTree.parse(root / "Annotations" / f"{image_id}.xml")
            corners = box_to_corners(torch.from_numpy(dataset.target(index)["boxes"])).numpy()
            for element, points in zip(tree.iter("rotated_bndbox"), corners, strict=True):
                values = [float(element.findtext(f"{axis}{corner}")) for corner in range(1, 5) for axis in "xy"]
                worst = max(worst, corner_distance(points, np.array(values).reshape(4, 2)))
                count += 1
    assert count == 2041
    # centre, sides and corners are each cut to whole pixels: 0.5 for the corner, 0.5 and half a diagonal for the box
    assert worst < 1.6
