"""Annotations with random damage: read as finite boxes with area, or refused in one line that names the file."""

import os
import random

import numpy as np
import pytest
from tests.papers.larsd.datasets.tiny_datasets import hrsc_xml, ssdd_xml, write_image, write_text

from retable.errors import DataError
from retable.papers.larsd.datasets import DotaText, Hrsc2016, Ssdd
from retable.papers.larsd.schema import AngledFilesConfig, DotaTextConfig, Hrsc2016Config

CASES = int(os.environ.get("RETABLE_FUZZ", "60"))  # of each loader
PIECES = (
    b"1e308",
    b"nan",
    b"-",
    b"9" * 30,
    b"\0",
    b"\n",
    b"<object>",
    b"</",
    b"ship ",
    b"\xff",
    b"_",
    b"e5",
    b".",
    b"0 ",
)
DATASETS = {
    "dota": (DotaText, DotaTextConfig(outside="difficult"), "train/images", "train/labelTxt/a.txt",
             "gsd:1\n1 1 7 1 7 5 1 5 ship 0\n1 1 7 2 7 5 1 5 ship\n"),
    "yolo": (DotaText, DotaTextConfig(format="yolo-obb"), "train/images", "train/labelTxt/a.txt",
             "0 0.1 0.1 0.9 0.1 0.9 0.5 0.1 0.5\n"),
    "hrsc2016": (Hrsc2016, Hrsc2016Config(level=3), "AllImages", "Annotations/a.xml", hrsc_xml([(4, 4, 3, 2, 0.3)])),
    "ssdd": (Ssdd, AngledFilesConfig(), "JPEGImages", "Annotations/a.xml", ssdd_xml([(4, 4, 3, 2, 33)])),
}  # fmt: skip


def damaged(chance, data):
    for _ in range(chance.randint(1, 3)):
        place, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        kind = chance.randrange(5)
        if kind == 0:
            data = data[:place] + chance.choice(PIECES) + data[place:]
        elif kind == 1:
            data = data[:place] + data[place + chance.randint(1, 9) :]
        elif kind == 2:
            data = data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
        elif kind == 3:
            data = data[:end] + data[place:]
        else:
            data = data.replace(
                chance.choice((b"1", b"5", b"ship", b">", b" ")), chance.choice((b"", b"1e30", b"x", b"-1"))
            )
    return data


@pytest.mark.parametrize("name", DATASETS)
def test_damaged_annotations(tmp_path, name):
    dataset, config, images, annotation, text = DATASETS[name]
    write_image(tmp_path / images / "a.png", 8, 8)
    write_text(tmp_path / "ImageSets" / "train.txt", "a")
    write_text(tmp_path / annotation, text)
    assert len(dataset(config, tmp_path, "train").target(0)["boxes"]) >= 1
    for seed in range(CASES):
        (tmp_path / annotation).write_bytes(damaged(random.Random(seed), text.encode()))
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
