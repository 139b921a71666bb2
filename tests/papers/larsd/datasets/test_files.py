"""Bad files, by way of a dataset that reads them."""

import pytest
from tests.papers.larsd.datasets.tiny_datasets import ssdd_xml, write_text

from retable.detection.annotation_files import read_image_list
from retable.errors import DataError
from retable.papers.larsd.datasets import DotaText, Hrsc2016, Ssdd
from retable.papers.larsd.schema import AngledFilesConfig, DotaTextConfig, Hrsc2016Config

BOMB = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><annotation><object>&c;</object></annotation>'


@pytest.mark.parametrize(
    ("dataset", "config"), [(Hrsc2016, Hrsc2016Config()), (Ssdd, AngledFilesConfig()), (DotaText, DotaTextConfig())]
)
def test_root_missing_empty_or_file(tmp_path, dataset, config):
    (tmp_path / "empty").mkdir()
    (tmp_path / "archive.zip").touch()
    for root, message in (
        (None, "data.root is not set"),
        (tmp_path / "gone", "gone does not exist"),
        (tmp_path / "empty", "is an empty folder"),
        (tmp_path / "archive.zip", "is a file"),
    ):
        with pytest.raises(DataError, match=message):
            dataset(config, root)
        with pytest.raises(DataError, match=message):
            dataset.splits(root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotation><object></annotation>", r"000002\.xml:1: malformed XML"),
        ("<annotation>\n<object>", r"000002\.xml:2: malformed XML"),
        ("", r"000002\.xml:1: malformed XML"),
        ("<HRSC_Image/>", r"root is <HRSC_Image>, expected <annotation>"),
        (BOMB, r"000002\.xml: the XML declares entities"),
    ],
)
def test_bad_xml(ssdd_root, text, message):
    write_text(ssdd_root / "Annotations" / "000002.xml", text)
    with pytest.raises(DataError, match=message) as caught:
        Ssdd(AngledFilesConfig(), ssdd_root)
    assert "\n" not in str(caught.value)


def test_missing_image_annotation_or_folder(ssdd_root):
    image = ssdd_root / "JPEGImages" / "000003.jpg"
    data = image.read_bytes()
    image.unlink()
    with pytest.raises(DataError, match=r"1 of 2 images that .*train\.txt lists have no image in .*first 000003"):
        Ssdd(AngledFilesConfig(), ssdd_root)
    image.write_bytes(b"")
    with pytest.raises(DataError, match=r"000003\.jpg: the image file is empty"):
        Ssdd(AngledFilesConfig(), ssdd_root)
    image.write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"000003\.jpg: the image file is truncated"):
        Ssdd(AngledFilesConfig(), ssdd_root)
    image.write_bytes(data)
    (ssdd_root / "Annotations" / "000002.xml").unlink()
    with pytest.raises(DataError, match=r"1 of 2 images .* have no annotation in .*first 000002"):
        Ssdd(AngledFilesConfig(), ssdd_root)
    (ssdd_root / "Annotations").rename(ssdd_root / "Somewhere")
    with pytest.raises(DataError, match="no folder with annotations; looked for"):
        Ssdd(AngledFilesConfig(), ssdd_root)
    with pytest.raises(DataError, match=r"no list test\.txt .*found train, val"):
        Ssdd(AngledFilesConfig(), ssdd_root, "test")


def test_image_that_changes_during_the_run(ssdd_root):
    dataset = Ssdd(AngledFilesConfig(), ssdd_root)
    (ssdd_root / "JPEGImages" / "000002.jpg").unlink()
    with pytest.raises(DataError, match=r"000002\.jpg: no such image"):
        dataset.load(0)


def test_image_lists(tmp_path):
    path = tmp_path / "train.txt"
    write_text(path, "\ufeffa\n\n  b.v2  \r\nimages\\c.PNG\n./d.xml")
    assert read_image_list(path) == ["a", "b.v2", "c", "d"]
    write_text(path, "a\nb\na\n")
    with pytest.raises(DataError, match=r"train\.txt:3: a is already listed in line 1"):
        read_image_list(path)
    write_text(path, "\n \n")
    with pytest.raises(DataError, match="names no images"):
        read_image_list(path)
    path.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(DataError, match="not a text file"):
        read_image_list(path)


def test_targets_are_copies(ssdd_root):
    dataset = Ssdd(AngledFilesConfig(), ssdd_root)
    dataset.target(0)["boxes"][:] = 0
    assert dataset.target(0)["boxes"].min() != 0


def test_fingerprint_follows_contents(ssdd_root):
    before = Ssdd(AngledFilesConfig(), ssdd_root).provenance["fingerprint"]
    write_text(ssdd_root / "Annotations" / "000007.xml", ssdd_xml([(20, 20, 9, 9, 10.0)]))  # of the other split
    assert Ssdd(AngledFilesConfig(), ssdd_root).provenance["fingerprint"] == before
    write_text(ssdd_root / "Annotations" / "000002.xml", ssdd_xml([(20, 20, 9, 9, 10.0)]))
    assert Ssdd(AngledFilesConfig(), ssdd_root).provenance["fingerprint"] != before
