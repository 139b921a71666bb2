"""Annotations in other units or of other tools, and numbers that no annotator meant."""

import math

import numpy as np
import pytest
from tests.papers.larsd.datasets.tiny_datasets import hrsc_xml, ssdd_xml, write_image, write_text

from retable.errors import ConfigError, DataError
from retable.papers.larsd.datasets import DotaText, Hrsc2016, Ssdd
from retable.papers.larsd.schema import AngledFilesConfig, DotaTextConfig, Hrsc2016Config

YOLO = "0 0.25 0.25 0.5 0.25 0.5 0.5 0.25 0.5\n"
ROLABELIMG = """<annotation><object><type>robndbox</type><name>fishing  boat</name><difficult>1</difficult>
<robndbox><cx>30</cx><cy>20</cy><w>24</w><h>8</h><angle>{}</angle></robndbox></object></annotation>"""


def label(root, text, name="a.txt"):
    write_text(root / "train" / "labelTxt" / name, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.1 0.2 0.3 0.2 0.3 0.4 0.1 0.4 ship 0", r"a\.txt:1: .*normalised coordinates"),
        ("10 10 30 10 30 20 10 20 ship 0\n.5 .5 1.01 .5 1.01 .6 .5 .6 ship 0", r"a\.txt:2: .*normalised coordinates"),
        (YOLO, r"a\.txt:1: this looks like YOLO-OBB; give data\.files\.format=yolo-obb"),
        ("0 0.5 0.5 0.25 0.25", r"a\.txt:1: this looks like YOLO's upright boxes"),
        ("1e18 10 30 10 30 20 10 20 ship 0", r"a\.txt:1: .*farther than 10 times the image of 64 x 48"),
        ("-1e18 10 30 10 30 20 10 20 ship 0", r"a\.txt:1: .*farther than 10 times"),
        ("1_0 10 30 10 30 20 10 20 ship 0", r"a\.txt:1: coordinate 1 is '1_0', which is not a number"),
        ("１０ 10 30 10 30 20 10 20 ship 0", r"a\.txt:1: coordinate 1 is '１０', which is not a number"),
    ],
)
@pytest.mark.parametrize("outside", ["error", "difficult"])
def test_dota_text(dota_root, text, message, outside):
    label(dota_root, text)
    with pytest.raises(DataError, match=message):
        DotaText(DotaTextConfig(outside=outside), dota_root)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((0.5, 0.4, 0.3, 0.2, 0.3), r"object 1: .*normalised coordinates"),
        ((30, 20, "1e30", 8, 0.3), r"object 1: .*farther than 10 times"),
        ((30, 20, 24, 8, 45), r"object 1: the angle 45 looks like degrees; give data\.files\.angle=degrees"),
        ((30, 20, 24, 8, -12.3), r"object 1: the angle 12\.3 looks like degrees"),
        ((30, 20, "2_4", 8, 0.3), r"object 1: <mbox_w> is '2_4', which is not a number"),
        ((30, 20, 24, 8, 1e18), r"looks like degrees"),
    ],
)
def test_hrsc2016(hrsc_root, box, message):
    write_text(hrsc_root / "FullDataSet" / "Annotations" / "100000001.xml", hrsc_xml([box]))
    with pytest.raises(DataError, match=message):
        Hrsc2016(Hrsc2016Config(outside="difficult"), hrsc_root)


def test_hrsc2016_in_degrees(hrsc_root):
    published = Hrsc2016(Hrsc2016Config(), hrsc_root)
    for path in (hrsc_root / "FullDataSet" / "Annotations").iterdir():
        write_text(path, hrsc_xml([(30, 20, 24, 8, math.degrees(0.3))]))
    converted = Hrsc2016(Hrsc2016Config(angle="degrees"), hrsc_root)
    np.testing.assert_allclose(converted.target(0)["boxes"], published.target(0)["boxes"], atol=1e-5)
    write_text(path.with_name("100000003.xml"), hrsc_xml([(30, 20, 24, 8, 1e18)]))
    with pytest.raises(DataError, match=r"1e\+18 is no angle"):
        Hrsc2016(Hrsc2016Config(angle="degrees"), hrsc_root, "test")


def test_ssdd_in_radians(ssdd_root):
    published = Ssdd(AngledFilesConfig(), ssdd_root)
    for path in (ssdd_root / "Annotations").iterdir():
        write_text(path, ssdd_xml([(30, 20, 8, 24, math.radians(60))]))
    with pytest.raises(DataError, match=r"object 1: the largest of 2 angles is 1\.0472, which looks like radians"):
        Ssdd(AngledFilesConfig(), ssdd_root)
    converted = Ssdd(AngledFilesConfig(angle="radians"), ssdd_root)
    np.testing.assert_allclose(converted.target(0)["boxes"], published.target(0)["boxes"], atol=1e-4)
    assert converted.provenance["fingerprint"] != published.provenance["fingerprint"]
    assert len(Ssdd(AngledFilesConfig(angle="degrees"), ssdd_root)) == 2  # the user's word counts


def test_upright_boxes_have_no_angle_to_doubt(ssdd_root):
    for path in (ssdd_root / "Annotations").iterdir():
        write_text(path, ssdd_xml([(30, 20, 8, 24, 0), (30, 20, 24, 8, 0)]))
    assert len(Ssdd(AngledFilesConfig(), ssdd_root)) == 2


def test_yolo_obb_is_read(dota_root):
    label(dota_root, YOLO + "1 0.25 0.25 0.5 0.25 0.5 0.5 0.25 0.5\n")
    label(dota_root, "", "b.txt")
    dataset = DotaText(DotaTextConfig(format="yolo-obb", classes=["ship", "boat"]), dota_root)
    np.testing.assert_allclose(dataset.target(0)["boxes"], [[24, 18, 16, 12, 0]] * 2, atol=1e-4)
    assert dataset.target(0)["labels"].tolist() == [0, 1]
    with pytest.raises(DataError, match=r"a\.txt:2: unknown class '1'; known are ship"):
        DotaText(DotaTextConfig(format="yolo-obb"), dota_root)
    label(dota_root, "0 10 10 30 10 30 20 10 20")
    with pytest.raises(DataError, match=r"a\.txt:1: .*look like pixels"):
        DotaText(DotaTextConfig(format="yolo-obb"), dota_root)


def test_rolabelimg_is_named_and_read(dota_root, ssdd_root, hrsc_root):
    for root, dataset, config in (
        (ssdd_root / "Annotations" / "000002.xml", Ssdd, AngledFilesConfig()),
        (hrsc_root / "FullDataSet" / "Annotations" / "100000001.xml", Hrsc2016, Hrsc2016Config()),
    ):
        write_text(root, ROLABELIMG.format(0.3))
        with pytest.raises(DataError, match="file of roLabelImg"):
            dataset(config, ssdd_root if dataset is Ssdd else hrsc_root)
    for name in ("a", "b"):
        (dota_root / "train" / "labelTxt" / f"{name}.txt").unlink()
        label(dota_root, ROLABELIMG.format(0.3), f"{name}.xml")
    with pytest.raises(DataError, match=r"annotations are \.xml files.*give data\.files\.format=rolabelimg"):
        DotaText(DotaTextConfig(), dota_root)
    config = DotaTextConfig(format="rolabelimg", classes="fishing boat")
    target = DotaText(config, dota_root).target(0)
    np.testing.assert_allclose(target["boxes"], [[30, 20, 24, 8, 0.3]], atol=1e-5)
    assert target["difficult"].tolist() == [True]
    label(dota_root, ROLABELIMG.format(20), "a.xml")
    with pytest.raises(DataError, match="looks like degrees"):
        DotaText(config, dota_root)
    config.angle = "degrees"
    np.testing.assert_allclose(DotaText(config, dota_root).target(0)["boxes"][0, 4], math.radians(20), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": []}, "must be one or more names"),
        ({"classes": ["ship", "ship"]}, "each once"),
        ({"classes": ["ship", " "]}, "must be one or more names"),
        ({"format": "coco"}, "format=coco: must be dota, yolo-obb or rolabelimg"),
        ({"angle": "degrees"}, "data.files.format=dota has corners, no angles"),
        ({"angle": "grad"}, "angle=grad: must be radians or degrees"),
    ],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(ConfigError, match=message):
        DotaTextConfig(**options)


def test_class_names_with_blanks(tmp_path):
    write_image(tmp_path / "train" / "images" / "im 1.png")
    box = "10 10 30 10 30 20 10 20"
    lines = [f"{box} fishing boat 1", f"{box}  fishing  boat", f"{box} pier 2 0", f"{box} pier 2", f"{box} ship"]
    write_text(tmp_path / "train" / "labelTxt" / "im 1.txt", "\n".join(lines))
    dataset = DotaText(DotaTextConfig(classes=["fishing boat", "pier 2", "ship"]), tmp_path)
    assert dataset.image_ids == ["im 1"]
    assert dataset.target(0)["labels"].tolist() == [0, 0, 1, 1, 2]
    assert dataset.target(0)["difficult"].tolist() == [True, False, False, False, False]
    assert DotaTextConfig(classes="ship").classes == ["ship"]


@pytest.mark.parametrize("tag", ["Object", "hrsc_object"])
def test_objects_under_another_tag_are_told(hrsc_root, tag):
    path = hrsc_root / "FullDataSet" / "Annotations" / "100000001.xml"
    write_text(path, hrsc_xml().replace("HRSC_Object>", f"{tag}>"))
    notes = Hrsc2016(Hrsc2016Config(), hrsc_root).provenance["notes"]
    assert notes == [
        "1 elements look like objects but are no <HRSC_Object> in its place and were not read, "
        f"first <{tag}> in 100000001.xml"
    ]
    for other in path.parent.iterdir():
        write_text(other, path.read_text())
    with pytest.raises(DataError, match=f"<{tag}> looks like an object, but only <HRSC_Object>"):
        Hrsc2016(Hrsc2016Config(), hrsc_root)


def test_ships_beside_the_objects_are_told(ssdd_root):
    path = ssdd_root / "Annotations" / "000002.xml"
    write_text(path, ssdd_xml().replace("object>", "ship>"))
    assert "<ship> in 000002.xml" in Ssdd(AngledFilesConfig(), ssdd_root).provenance["notes"][0]
