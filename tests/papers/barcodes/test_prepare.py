"""Generated photos as files can be read as the notebook's are."""

from pathlib import Path

import numpy as np
import pytest

from retable.errors import StorageError
from retable.papers.barcodes.datasets.tables import read_list
from retable.papers.barcodes.scenes import BarcodeScenes
from retable.run.composer import compose
from retable.run.prepare import prepare


def test_photos_come_with_the_notebooks_list(tmp_path: Path) -> None:
    words = ["data=barcode_photos", f"output={tmp_path / 'photos'}", "count=4", "size=160"]
    prepare(compose("prepare/prepare", words))
    found = {photo.name: photo for photo in read_list(tmp_path / "photos" / "markup.csv", False, False).photos}
    scenes = BarcodeScenes("test", 4, 160)
    for index in range(4):
        _, symbols, _ = scenes.load(index)
        name = next((name for name in found if f"{index:05d}" in name), None)
        known = [] if name is None else list(found[name].symbols)
        assert [each.code for each in known] == [each.code for each in symbols]
        for one, other in zip(known, symbols, strict=True):
            assert np.allclose(one.corners, other.corners, atol=0.01)
    with pytest.raises(StorageError, match=r"there is a markup\.csv already"):
        prepare(compose("prepare/prepare", words))
