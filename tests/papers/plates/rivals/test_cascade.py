"""Cascades of Haar features: read, evaluated, and their windows joined."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from retable.errors import ConfigError, DataError
from retable.papers.plates.rivals import cascade
from retable.papers.plates.rivals._haar_kernel import _sum
from retable.papers.plates.rivals.cascade import CascadeDetector, grouped, load_cascade
from retable.papers.plates.rivals.schema import CascadeConfig

# one stage of one stump: the right half of a window of 12 x 6 is brighter than the left one
XML = """<?xml version="1.0"?>
<opencv_storage><cascade><stageType>BOOST</stageType><featureType>HAAR</featureType>
<height>6</height><width>12</width>
<stages><_><stageThreshold>0.5</stageThreshold><weakClassifiers><_>
<internalNodes>0 -1 {feature} 0.4</internalNodes><leafValues>-1.0 1.0</leafValues></_></weakClassifiers></_></stages>
<features><_><rects><_>0 0 12 6 -1.</_><_>{left} 0 6 6 2.</_></rects><tilted>0</tilted></_></features>
</cascade></opencv_storage>"""


def write(path: Path, feature: int = 0, left: int = 6) -> str:
    path.write_text(XML.format(feature=feature, left=left))
    return str(path)


def test_windows_on_an_edge_pass(tmp_path: Path) -> None:
    found = load_cascade(write(tmp_path / "a.xml"))
    image = np.full((30, 48), 20, np.uint8)
    image[:, 24:] = 220
    windows = found.windows(image, 2.0)
    middles, widths = windows[:, [0, 2]].mean(axis=1), windows[:, 2] - windows[:, 0]
    assert set(widths) == {12, 24, 48}
    assert (np.abs(middles - 24) <= widths / 3).all()
    assert len(found.windows(255 - image, 2.0)) == 0
    assert len(found.windows(np.full((30, 48), 20, np.uint8), 2.0)) == 0
    assert len(found.windows(image[:5], 2.0)) == 0


def test_upright_and_tilted_sums() -> None:
    rows, columns = np.mgrid[:12, :12].astype(np.float32) + 0.5
    x, y, width, height = 5, 1, 2, 3
    tilted = []
    for image in (np.ones((12, 12), np.float32), columns, rows):
        sums, _, turned = cv2.integral3(image, sdepth=cv2.CV_64F, sqdepth=cv2.CV_64F)
        tables = np.stack([sums, turned])
        assert _sum(tables, False, 2, 1, np.array([1, 1, 4, 3])) == image[3:6, 2:6].sum()
        tilted.append(_sum(tables, True, 0, 0, np.array([x, y, width, height])))
    area, right, down = tilted
    assert area == 2 * width * height
    assert right / area == pytest.approx(x + (width - height) / 2, abs=0.6)
    assert down / area == pytest.approx(y + (width + height) / 2, abs=0.6)


def test_windows_that_agree_are_one_plate() -> None:
    windows = np.array([[10, 10, 70, 30], [12, 10, 72, 30], [11, 11, 71, 31], [200, 50, 260, 70]], np.float64)
    boxes, counts = grouped(windows, 2)
    np.testing.assert_allclose(boxes, [[11, 31 / 3, 71, 91 / 3]])
    assert counts.tolist() == [3]
    assert grouped(windows[:0], 3)[0].shape == (0, 4)


def test_it_detects_as_any_detector(tmp_path: Path) -> None:
    model = CascadeDetector(CascadeConfig(file=write(tmp_path / "a.xml"), neighbours=0)).eval()
    image = torch.zeros(3, 31, 48)
    image[:, :, 24:] = 1
    found, nothing = model.detect([image, torch.zeros(3, 5, 5)])
    assert len(found["boxes"])
    assert 0 < found["scores"][0] < 1
    assert len(nothing["boxes"]) == 0


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for changes, message in (({"feature": 1}, "its features"), ({"left": 7}, "its rectangles")):
        with pytest.raises(DataError, match=message):
            load_cascade(write(tmp_path / "a.xml", **changes))
    (tmp_path / "b.xml").write_text(
        "<opencv_storage><cascade><featureType>LBP</featureType></cascade></opencv_storage>"
    )
    with pytest.raises(DataError, match="no cascade of Haar"):
        load_cascade(str(tmp_path / "b.xml"))
    with pytest.raises(ConfigError, match=r"model\.file=.*there is no such file"):
        load_cascade(str(tmp_path / "c.xml"))
    monkeypatch.setattr(cascade, "_NAME", "none.xml")
    monkeypatch.setattr(cascade, "download_address", lambda address: None)
    with pytest.raises(ConfigError, match=r"does not bring none\.xml.*give the file"):
        load_cascade(None)
