"""Images of no class: generated ones and cut-outs of real scenes, and how they come into the loaders."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.papers.plates.test_crops import module
from tests.papers.plates.tiny import crop, scene, write_manifest

from retable.errors import ConfigError
from retable.papers.plates.artwork import foreign
from retable.papers.plates.crops.backgrounds import Backgrounds
from retable.papers.plates.crops.outliers import OUTLIERS, PlateOutliers
from retable.papers.plates.crops.real import list_crops


def test_kinds_take_turns_and_are_determined_by_seed_split_and_index() -> None:
    outliers = PlateOutliers(20, 40, 20, seed=2)
    assert [outliers.label(index) for index in range(7)] == [-1, -2, -3, -4, -5, -1, -2]
    images = [outliers.image(index) for index in range(20)]
    assert {(image.shape, image.dtype.name) for image in images} == {((20, 40, 3), "uint8")}
    assert all(np.array_equal(image, PlateOutliers(20, 40, 20, 2).image(n)) for n, image in enumerate(images))
    assert not np.array_equal(images[0], PlateOutliers(20, 40, 20, 2, "val").image(0))


def test_a_change_of_what_is_drawn_needs_a_new_version() -> None:
    outliers = PlateOutliers(10, 48, 24)
    assert outliers.version == 1
    assert [round(float(outliers.image(index).mean())) for index in range(5)] == pytest.approx(BRIGHTNESS, abs=2)


BRIGHTNESS = [211, 102, 62, 62, 112]


def test_no_country_is_in_two_splits() -> None:
    designs = [set(each) for each in foreign._DESIGNS.values()]
    assert len(set.union(*designs)) == sum(map(len, designs))


def test_backgrounds_are_clear_of_all_plates(tmp_path: Path) -> None:
    write_manifest(tmp_path, [scene("00", box="10,12,30,8"), scene("00", box="42,2,16,6"), crop("01")])
    picture = np.full((40, 60, 3), 60, np.uint8)
    picture[12:20, 10:40] = picture[2:8, 42:58] = 250
    cv2.imwrite(str(tmp_path / "scenes" / "00.png"), picture)
    crops, _ = list_crops(tmp_path, ["eu_1"], ignore_others=False)
    found = Backgrounds.read(crops, 32, 16, "stretch")
    assert len(found) > 0
    assert (found.images == 60).all()
    assert found.images.shape[1:] == (16, 32, 3)
    assert OUTLIERS[-1 - found.label(0)] == "background"
    assert found.origin(0) == "a scenes"


def test_they_have_a_loader_of_their_own_and_stand_in_the_record(tmp_path: Path) -> None:
    write_manifest(tmp_path, [scene(f"{n:02d}", box="10,20,30,8") for n in range(5)] + [crop("00", "US")])
    data = module(root=str(tmp_path), train_on="both", classes=["eu_1", "us_1"], outliers=5, image_height=16)
    known, strange = ([batch for batch in loader] for loader in data.val_dataloader())
    assert all((batch["labels"] >= 0).all() for batch in known)
    assert all((batch["labels"] < 0).all() for batch in strange)
    assert strange[0]["images"].shape[1:] == (3, 16, 24)
    assert (data.training_set.parts[-1].source, data.training_set.parts[-1].kind) == (
        "backgrounds of own scenes",
        "real",
    )
    told = data.provenance
    assert told["counts"]["train outliers"]["synthetic"] == 15
    assert (
        told["fingerprints"]["val"]
        == module(root=str(tmp_path), train_on="both", classes=["eu_1", "us_1"], image_height=16).provenance[
            "fingerprints"
        ]["val"]
    )  # the plates are the same
    assert data.outlier_kinds == OUTLIERS
    with pytest.raises(ConfigError, match=r"data\.outliers=2: must be 3 or more"):
        module(outliers=2)
