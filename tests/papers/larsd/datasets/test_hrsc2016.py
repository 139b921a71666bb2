import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.papers.larsd.datasets.tiny_datasets import hrsc_xml, write_image, write_text

from retable.boxes import box_to_corners
from retable.errors import ConfigError, DataError
from retable.papers.larsd.datasets import Hrsc2016
from retable.papers.larsd.schema import Hrsc2016Config

SYSDATA = """<sysdata><HRSC_Classes>
<HRSC_Class><Class_ID>100000001</Class_ID><Class_Layer>0</Class_Layer><Class_EngName>ship</Class_EngName></HRSC_Class>
<HRSC_Class><Class_ID>100000002</Class_ID><Class_Layer>1</Class_Layer><HRS_Class_ID>100000001</HRS_Class_ID>
<Class_EngName>carrier</Class_EngName></HRSC_Class>
<HRSC_Class><Class_ID>100000013</Class_ID><Class_Layer>2</Class_Layer><HRS_Class_ID>100000002</HRS_Class_ID>
<Class_EngName>Kuznetsov-class</Class_EngName></HRSC_Class>
</HRSC_Classes></sysdata>"""


def annotation(root, name="100000001"):
    return root / "FullDataSet" / "Annotations" / f"{name}.xml"


def test_splits_boxes_and_images(hrsc_root):
    assert Hrsc2016.splits(hrsc_root) == ["test", "train", "trainval", "val"]
    dataset = Hrsc2016(Hrsc2016Config(), hrsc_root)
    assert dataset.image_ids == ["100000001", "100000002", "100000004"]
    assert dataset.classes == ["ship"]
    image, target = dataset.load(0)
    assert image.shape == (*dataset.image_size(0), 3) == (48, 64, 3)
    assert target["boxes"].dtype == np.float32
    np.testing.assert_allclose(target["boxes"], [[30, 20, 24, 8, 0.3]], rtol=1e-6)
    assert target["labels"].tolist() == [0]
    assert target["difficult"].tolist() == [False]
    assert dataset.provenance["kind"] == "real"
    assert dataset.provenance["splits"] == {"trainval": 3}
    assert dataset.provenance["notes"] == []
    assert Hrsc2016(Hrsc2016Config(), hrsc_root, "test").provenance["fingerprint"] != dataset.provenance["fingerprint"]


def test_angle_is_in_radians_clockwise_on_the_screen(hrsc_root):
    # the bow of a ship that heads down and to the right lies at larger x and larger y
    write_text(annotation(hrsc_root), hrsc_xml([(32, 24, 20, 4, math.pi / 4), (32, 24, 4, 20, math.pi / 4)]))
    along, across = box_to_corners(torch.from_numpy(Hrsc2016(Hrsc2016Config(), hrsc_root).target(0)["boxes"])).numpy()
    bow = 32 + 10 * math.sqrt(0.5), 24 + 10 * math.sqrt(0.5)
    assert np.linalg.norm(along - bow, axis=1).min() == pytest.approx(2, abs=1e-4)
    # with the sides swapped the long one runs up and to the right
    bow = 32 + 10 * math.sqrt(0.5), 24 - 10 * math.sqrt(0.5)
    assert np.linalg.norm(across - bow, axis=1).min() == pytest.approx(2, abs=1e-4)


def test_a_published_annotation_by_its_upright_frame():
    # 100000001: box_xmin..ymax 194, 243, 972, 507 enclose the ship (not its box), the header is its bow
    box = torch.tensor([582.9349, 353.2006, 778.1303, 174.2541, -0.2144308])
    bow = np.array([964.0, 290.0])
    ends = [
        np.array([box[0] + sign * box[2] / 2 * torch.cos(box[4]), box[1] + sign * box[2] / 2 * torch.sin(box[4])])
        for sign in (-1, 1)
    ]
    assert min(np.linalg.norm(end - bow) for end in ends) < 25


@pytest.mark.parametrize("layout", ["flat", "train-test"])
def test_other_layouts(tmp_path, layout):
    for split, name in (("train", "1"), ("val", "2"), ("test", "3")):
        if layout == "flat":
            base, image_set = tmp_path, tmp_path / "ImageSets"
        else:
            base = tmp_path / ("Test" if split == "test" else "Train")
            image_set = base
        write_image(base / ("JPEGImages" if layout == "flat" else "AllImages") / f"{name}.bmp")
        write_text(base / "Annotations" / f"{name}.xml", hrsc_xml())
        write_text(image_set / f"{split}.txt", name)
    assert Hrsc2016(Hrsc2016Config(), tmp_path, "trainval").image_ids == ["1", "2"]  # no list of its own: joined
    assert Hrsc2016(Hrsc2016Config(), tmp_path, "test").image_ids == ["3"]


def test_class_levels_from_sysdata_and_built_in(hrsc_root):
    write_text(annotation(hrsc_root), hrsc_xml(class_id=100000013))
    built_in = Hrsc2016(Hrsc2016Config(level=3), hrsc_root)
    assert built_in.classes[built_in.target(0)["labels"][0]] == "Kuznetsov"
    assert built_in.classes[built_in.target(1)["labels"][0]] == "ship"  # annotators could tell no more
    assert "built-in table" in built_in.provenance["notes"][0]
    second = Hrsc2016(Hrsc2016Config(level=2), hrsc_root)
    assert second.classes == ["ship", "aircraft carrier", "warcraft", "merchant ship", "submarine"]
    assert second.classes[second.target(0)["labels"][0]] == "aircraft carrier"
    write_text(hrsc_root / "FullDataSet" / "sysdata.xml", SYSDATA)
    third = Hrsc2016(Hrsc2016Config(level=3), hrsc_root)
    assert third.classes == ["ship", "carrier", "Kuznetsov-class"]
    assert third.target(0)["labels"].tolist() == [2]
    assert third.provenance["notes"] == []
    assert Hrsc2016(Hrsc2016Config(level=2), hrsc_root).target(0)["labels"].tolist() == [1]
    with pytest.raises(ConfigError, match="level"):
        Hrsc2016(Hrsc2016Config(level=4), hrsc_root)


def test_difficult_negative_and_unannotated_images(hrsc_root, caplog):
    write_text(annotation(hrsc_root), hrsc_xml(difficult=1))
    write_text(annotation(hrsc_root, "100000002"), hrsc_xml(boxes=()))
    write_text(annotation(hrsc_root, "100000004"), hrsc_xml(boxes=(), annotated=0))
    dataset = Hrsc2016(Hrsc2016Config(), hrsc_root)
    assert dataset.image_ids == ["100000001", "100000002"]
    assert dataset.target(0)["difficult"].tolist() == [True]
    assert dataset.load(1)[1]["boxes"].shape == (0, 5)
    assert "not annotated are left out: 100000004" in dataset.provenance["notes"][0]
    assert "100000004" in caplog.text


def test_overhanging_box_is_kept_whole(hrsc_root):
    write_text(annotation(hrsc_root), hrsc_xml([(60, 24, 40, 8, 0.0)]))
    np.testing.assert_allclose(
        Hrsc2016(Hrsc2016Config(), hrsc_root).target(0)["boxes"], [[60, 24, 40, 8, 0]], atol=1e-6
    )


def test_size_that_disagrees_is_told(hrsc_root):
    write_text(annotation(hrsc_root), hrsc_xml(width=128, height=96))
    dataset = Hrsc2016(Hrsc2016Config(), hrsc_root)
    assert dataset.image_size(0) == (48, 64)
    assert "1 annotations state another size" in dataset.provenance["notes"][0]


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([(30, 20, 24, 8, 0), ("nan", 20, 24, 8, 0)], r"100000001\.xml, object 2: .*nan"),
        ([(30, 20, "inf", 8, 0)], r"object 1: .*not a finite number"),
        ([(30, 20, 24, 0, 0)], r"object 1: .*no area"),
        ([(30, 20, -24, 8, 0)], r"object 1: .*no area"),
        ([(90, 20, 24, 8, 0)], r"object 1: .*outside the image of 64 x 48.*data\.files\.outside"),
        ([(30, "x", 24, 8, 0)], r"object 1: <mbox_cy> is 'x', which is not a number"),
        ([(30, "", 24, 8, 0)], r"object 1: <mbox_cy> is missing"),
    ],
)
def test_bad_boxes(hrsc_root, boxes, message):
    write_text(annotation(hrsc_root), hrsc_xml(boxes))
    with pytest.raises(DataError, match=message):
        Hrsc2016(Hrsc2016Config(), hrsc_root)


def test_outside_box_as_difficult(hrsc_root):
    write_text(annotation(hrsc_root), hrsc_xml([(66, 20, 24, 8, 0)]))
    assert Hrsc2016(Hrsc2016Config(outside="difficult"), hrsc_root).target(0)["difficult"].tolist() == [True]


def test_unknown_class_lists_the_known(hrsc_root):
    write_text(annotation(hrsc_root), hrsc_xml(class_id=100000099))
    with pytest.raises(DataError, match=r"object 1: unknown class '100000099'; known are 100000001 \(ship\)"):
        Hrsc2016(Hrsc2016Config(), hrsc_root)


def test_malformed_sysdata(hrsc_root):
    for text, message in (
        (SYSDATA.replace("<HRS_Class_ID>100000002</HRS_Class_ID>", ""), "class 3: <HRS_Class_ID> is missing"),
        (SYSDATA.replace("<HRS_Class_ID>100000002", "<HRS_Class_ID>100000077"), "not a class above"),
        ("<sysdata/>", "no HRSC_Classes"),
    ):
        write_text(hrsc_root / "FullDataSet" / "sysdata.xml", text)
        with pytest.raises(DataError, match=message):
            Hrsc2016(Hrsc2016Config(level=2), hrsc_root)


@pytest.mark.skipif(
    "RETABLE_REAL_DATA" not in os.environ, reason="RETABLE_REAL_DATA does not name a folder of real data"
)
def test_real_annotations(tmp_path):
    samples = Path(os.environ["RETABLE_REAL_DATA"]) / "hrsc2016-samples"
    sizes = {"100000001": (753, 1166), "100000008": (788, 1053), "100000011": (818, 1174), "100000622": (688, 1153)}
    for name, (height, width) in sizes.items():
        write_image(tmp_path / "AllImages" / f"{name}.bmp", height, width)
        write_text(tmp_path / "Annotations" / f"{name}.xml", (samples / "Annotations" / f"{name}.xml").read_text())
    write_text(tmp_path / "ImageSets" / "all.txt", "\n".join(sizes))
    dataset = Hrsc2016(Hrsc2016Config(level=3), tmp_path, "all")
    assert [len(dataset.target(index)["boxes"]) for index in range(4)] == [1, 1, 2, 2]
    assert dataset.classes[dataset.target(0)["labels"][0]] == "Kuznetsov"
    assert not any("another size" in note for note in dataset.provenance["notes"])
    lists = {split: (samples / "ImageSets" / f"{split}.txt").read_text().split() for split in ("trainval", "test")}
    assert [len(names) for names in lists.values()] == [617, 453]
