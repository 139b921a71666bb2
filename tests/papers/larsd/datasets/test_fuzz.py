"""Annotations with random damage: read as finite boxes with area, or refused in one line that names the file."""

import random

import numpy as np
import pytest
from tests import fuzz
from tests.papers.larsd.datasets.tiny_datasets import hrsc_xml, ssdd_xml, write_image, write_text

from retable.errors import DataError
from retable.papers.larsd.datasets import DotaText, Hrsc2016, Ssdd
from retable.papers.larsd.schema import AngledFilesConfig, DotaTextConfig, Hrsc2016Config

DATASETS = {
    "dota": (DotaText, DotaTextConfig(outside="difficult"), "train/images", "train/labelTxt/a.txt",
             "gsd:1\n1 1 7 1 7 5 1 5 ship 0\n1 1 7 2 7 5 1 5 ship\n"),
    "yolo": (DotaText, DotaTextConfig(format="yolo-obb"), "train/images", "train/labelTxt/a.txt",
             "0 0.1 0.1 0.9 0.1 0.9 0.5 0.1 0.5\n"),
    "hrsc2016": (Hrsc2016, Hrsc2016Config(level=3), "AllImages", "Annotations/a.xml", hrsc_xml([(4, 4, 3, 2, 0.3)])),
    "ssdd": (Ssdd, AngledFilesConfig(), "JPEGImages", "Annotations/a.xml", ssdd_xml([(4, 4, 3, 2, 33)])),
}  # fmt: skip


@fuzz.mark
@pytest.mark.parametrize("name", DATASETS)
def test_damaged_annotations(tmp_path, name):
    dataset, config, images, annotation, text = DATASETS[name]
    write_image(tmp_path / images / "a.png", 8, 8)
    write_text(tmp_path / "ImageSets" / "train.txt", "a")
    write_text(tmp_path / annotation, text)
    assert len(dataset(config, tmp_path, "train").target(0)["boxes"]) >= 1
    for seed in range(fuzz.cases(60)):
        (tmp_path / annotation).write_bytes(fuzz.damaged(random.Random(seed), text.encode()))
        message = ""
        try:
            boxes = dataset(config, tmp_path, "train").target(0)["boxes"]
        except DataError as error:
            message = str(error)
        if message:
            assert len(message.splitlines()) == 1, seed
            assert "a." in message, seed
        else:
            assert np.isfinite(boxes).all(), seed
            assert (boxes[:, 2:4] > 0).all(), seed
