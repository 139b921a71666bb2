"""Generated and real crops, and the loaders of both."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.papers.plates.tiny import crop, scene, write_image, write_manifest

from retable.data.images import read_prepared_image
from retable.errors import ConfigError, DataError
from retable.papers.plates.countries import CLASSES
from retable.papers.plates.crops import PlateCrops
from retable.papers.plates.crops.fitting import fit_into
from retable.papers.plates.crops.real import list_crops
from retable.papers.plates.data_module import PlateCropsDataModule
from retable.papers.plates.datasets.schema import CropAugmentation, PlateClassesConfig, PlateCropsConfig
from retable.papers.plates.subject import PlateClasses


def module(**changes: Any) -> PlateCropsDataModule:
    keys: dict[str, Any] = {
        "crops": PlateCrops, "classes": list(CLASSES), "per_class": 5, "image_size": 24, "batch_size": 8,
        "eval_batch_size": 5, "workers": 0, "cache_megabytes": 1,
    }  # fmt: skip
    return PlateCropsDataModule(PlateCropsConfig(**{**keys, **changes}), seed=1)


def test_generated_crops_take_turns_and_are_determined_by_seed_split_and_index() -> None:
    crops = PlateCrops(30, 32, seed=3)
    assert [crops.label(index) for index in range(15)] == [*range(13), 0, 1]
    assert crops.plate(14).country == "eu"
    image = crops.image(14)
    assert (image.shape, image.dtype) == ((32, 32, 3), np.uint8)
    assert np.array_equal(image, PlateCrops(20, 32, seed=3).image(14))
    assert not np.array_equal(image, PlateCrops(30, 32, seed=3, split="val").image(14))
    assert not np.array_equal(image, PlateCrops(30, 32, seed=4).image(14))
    assert crops.fingerprint() != PlateCrops(30, 32, seed=4).fingerprint()
    with pytest.raises(ConfigError, match="no generator of cn_1"):
        PlateCrops(30, classes=["cn_1", "us_1"])


def test_a_change_of_what_is_drawn_needs_a_new_version() -> None:
    crops = PlateCrops(13, 48)
    assert crops.version == 1
    assert [round(float(crops.image(index).mean())) for index in range(4)] == pytest.approx(BRIGHTNESS, abs=2)


BRIGHTNESS = [162, 180, 199, 81]


def test_generated_crops_make_batches_of_the_contract() -> None:
    data = module()
    batch = next(iter(data.train_dataloader()))
    assert batch["images"].shape == (8, 3, 24, 24)
    assert batch["images"].dtype == torch.float32
    assert (batch["labels"] == batch["indices"] % 13).all()
    assert data.provenance["kind"] == "synthetic"
    assert data.provenance["splits"] == {"train": 39, "val": 13, "test": 13}
    assert sorted(int(index) for batch in data.test_dataloader() for index in batch["indices"]) == list(range(13))


def test_the_number_of_classes_follows_the_data(tmp_path: Path) -> None:
    data = module(classes=["eu_1", "eu_2", "us_1"])
    assert data.classes == ("eu_1", "eu_2", "us_1")
    assert data.provenance["splits"]["train"] == 9
    subject = PlateClasses(PlateClassesConfig(classes=["eu_1", "eu_2", "us_1"], image_size=24, fit="stretch"))
    assert subject.classes.names == data.classes
    write_image(tmp_path / "plate.png", 60, 20, value=90)
    assert read_prepared_image(tmp_path / "plate.png", subject.prepare).tolist() == [[[90] * 3] * 24] * 24


def test_crops_keep_their_proportions_where_that_is_asked_for() -> None:
    picture = np.zeros((10, 40, 3), np.uint8)
    picture[:, :20] = 200
    padded = fit_into(picture, 20, 20, "pad")
    assert (padded[:7] == 100).all()
    assert (padded[13:] == 100).all()
    assert (padded[8:12, 1:9] == 200).all()
    assert (fit_into(picture, 20, 20, "stretch")[:, 1:9] == 200).all()
    assert fit_into(picture, 40, 20, "pad")[6:14, 2:18].min() == 200
    assert fit_into(picture, 40, 20, "stretch").shape == (20, 40, 3)
    crops = PlateCrops(2, 32, classes=["eu_1", "us_1"], fit="pad")
    assert (crops.image(0)[0] == crops.image(0)[0, 0]).all()


def test_a_manifest_gives_crops_and_plates_cut_out_of_scenes(tmp_path: Path) -> None:
    write_manifest(tmp_path, [scene(f"{n:02d}") for n in range(5)] + [crop(f"{n:02d}", "TR", "2") for n in range(5)])
    write_image(tmp_path / "crops" / "00.png", grey=True)
    data = module(root=str(tmp_path), classes=["eu_1", "tr_2", "us_1"])
    assert data.provenance["kind"] == "real"
    assert data.provenance["splits"] == {"train": 6, "val": 2, "test": 2}
    assert "the real plates of test show no us_1" in data.provenance["notes"]
    assert any("eu_1, tr_2 are of one source each" in note for note in data.provenance["notes"])
    assert [int(label) for batch in data.val_dataloader() for label in batch["labels"]] == [1, 0]


def test_real_crops_are_split_in_runs_whatever_they_are_used_for(tmp_path: Path) -> None:
    write_manifest(tmp_path, [crop(f"{n:02d}", source="ab"[n // 10]) for n in range(20)])
    both = module(root=str(tmp_path), train_on="both", classes=["eu_1", "us_1"])
    alone = module(root=str(tmp_path), train_on="generated", test_on="real", classes=["eu_1", "us_1"])
    tested, trained = both.parts["test"][0], both.parts["train"][1]
    assert tested.fingerprint() == alone.parts["test"][0].fingerprint()
    assert [part.kind for part in both.parts["train"]] == ["synthetic", "real"]
    assert [part.kind for part in both.parts["val"]] == ["real"]
    assert both.provenance["kind"] == "mixed"
    assert not {item.name for item in tested.crops} & {item.name for item in trained.crops}  # type: ignore[attr-defined]


def test_a_source_may_be_left_out(tmp_path: Path) -> None:
    write_manifest(tmp_path, [crop(f"{n:02d}", source="ab"[n // 10]) for n in range(20)])
    data = module(root=str(tmp_path), classes=["eu_1", "us_1"], test_sources=["b"])
    assert data.provenance["splits"] == {"train": 8, "val": 2, "test": 10}
    assert {item.source for item in data.parts["test"][0].crops} == {"b"}  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match=r"data.test_sources: there is no source 'c'; there are a, b"):
        _ = module(root=str(tmp_path), classes=["eu_1", "us_1"], test_sources=["c"]).parts


def test_a_part_of_a_source_may_be_left_out(tmp_path: Path) -> None:
    write_manifest(tmp_path, [scene(f"{n:02d}") for n in range(4)] + [crop(f"{n:02d}") for n in range(10)])
    data = module(root=str(tmp_path), classes=["eu_1", "us_1"], test_sources=["a scenes"])
    assert data.provenance["splits"] == {"train": 8, "val": 2, "test": 4}
    assert not any("of one source each" in note for note in data.provenance["notes"])


def test_crops_of_any_shape(tmp_path: Path) -> None:
    write_manifest(tmp_path, [crop(f"{n:02d}") for n in range(5)])
    data = module(root=str(tmp_path), train_on="both", classes=["eu_1", "us_1"], image_size=32, image_height=16)
    assert next(iter(data.train_dataloader()))["images"].shape == (8, 3, 16, 32)
    assert PlateCrops(1, 32, image_height=32).fingerprint() == PlateCrops(1, 32).fingerprint()
    assert PlateCrops(1, 32, image_height=16).fingerprint() != PlateCrops(1, 32).fingerprint()
    config = PlateClassesConfig(classes=["eu_1", "us_1"], image_size=32, image_height=16, fit="stretch")
    assert PlateClasses(config).prepare(np.zeros((20, 90, 3), np.uint8)).shape == (16, 32, 3)


def test_even_sampling_shows_each_class_and_in_it_each_source_as_often(tmp_path: Path) -> None:
    rows = [crop(f"{n:02d}") for n in range(10)] + [crop(f"1{n}", "TR", source="b") for n in range(5)]
    write_manifest(tmp_path, [*rows, scene("00", "TR")])
    data = module(root=str(tmp_path), train_on="both", classes=["eu_1", "tr_1"], sampling="even", per_class=8)
    samples = data.training_set
    assert len(samples) == 5 + 5 + 6 + 3 + 1
    drawn = [samples.drawn(3, index) for index in range(18)]
    whose = [
        (label, part.origin(index))
        for part in samples.parts
        for index in range(len(part))
        for label in [part.label(index)]
    ]
    seen = [whose[place] for place in drawn]
    assert {group: seen.count(group) for group in seen} == {
        (0, "generated"): 5, (0, "a crops"): 4, (1, "generated"): 3, (1, "b crops"): 3, (1, "a scenes"): 3,
    }  # fmt: skip


def test_even_sampling_is_determined_by_seed_epoch_and_index_alone(tmp_path: Path) -> None:
    """Whoever asks, in which order, and whether or not other epochs came before: so a resumed run sees the same."""
    write_manifest(tmp_path, [crop(f"{n:02d}") for n in range(6)])
    keys: dict[str, Any] = {"root": str(tmp_path), "train_on": "both", "classes": ["eu_1", "us_1"], "sampling": "even"}
    keys["augment"] = CropAugmentation(enabled=True, generated=True)
    first, later = module(**keys).training_set, module(**keys).training_set
    asked = [(epoch, index) for epoch in (4, 5) for index in range(len(first))]
    whole = first.__getitems__(asked)
    for place in reversed(range(len(asked))):
        one = later.__getitems__([asked[place]])
        assert torch.equal(one["images"][0], whole["images"][place])
        assert (one["labels"][0], one["indices"][0]) == (whole["labels"][place], whole["indices"][place])
    half = len(first)
    assert not torch.equal(whole["indices"][:half], whole["indices"][half:])
    repeated = [place for place in range(half) if whole["indices"][place] == whole["indices"][0]]
    assert len(repeated) > 1  # one image, shown in different ways
    assert not torch.equal(whole["images"][repeated[0]], whole["images"][repeated[1]])


def test_folders_named_as_classes_are_read(tmp_path: Path) -> None:
    for name in ("EU-2/a.png", "eu_2/b.png", "IND_1/c.png"):
        write_image(tmp_path / name)
    crops, _ = list_crops(tmp_path, ["eu_2", "in_1"], ignore_others=False)
    assert [item.class_name for item in crops] == ["eu_2", "in_1", "eu_2"]
    write_image(tmp_path / "europe" / "d.png")
    with pytest.raises(DataError, match="europe: the folder's name is no class"):
        list_crops(tmp_path, ["eu_2", "in_1"], ignore_others=False)


def test_only_real_crops_are_augmented_and_by_seed_epoch_and_index_alone(tmp_path: Path) -> None:
    write_manifest(tmp_path, [crop(f"{n:02d}") for n in range(6)])
    data = module(root=str(tmp_path), train_on="both", classes=["eu_1", "us_1"], augment=CropAugmentation(enabled=True))
    samples = data.training_set
    real = len(samples) - 1
    first, again, later = (samples.__getitems__([(epoch, real), (0, 0)])["images"] for epoch in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first[0], later[0])
    assert torch.equal(first[1], later[1])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([scene("00", box="10,20,30,0")], r"manifest.csv:2: the box has no area"),
        (
            [scene("00", box="90,20,30,8")],
            r"manifest.csv:2: the box's centre \(105, 24\) lies outside the image of 60 x 40",
        ),
        ([scene("00", box="10,20,3,2")], r"manifest.csv:2: a plate of \d x \d pixels shows nothing"),
        ([scene("00", country="XX")], r"manifest.csv:2: unknown country 'XX'; known are us, eu"),
        ([scene("00", country="BR")], r"manifest.csv:2: br_1 is none of data.classes"),
        ([crop("00"), crop("01", lines="3")], r"manifest.csv:3: lines is '3'"),
    ],
)
def test_faults_are_told_with_file_and_row(tmp_path: Path, rows: list[str], message: str) -> None:
    write_manifest(tmp_path, rows + [crop(f"{n:02d}") for n in range(10, 16)])
    with pytest.raises(DataError, match=message):
        _ = module(root=str(tmp_path), classes=["eu_1", "us_1"]).parts


def test_a_missing_file_is_told_with_its_row(tmp_path: Path) -> None:
    write_manifest(tmp_path, [crop("00"), crop("01")])
    (tmp_path / "crops" / "01.png").unlink()
    with pytest.raises(DataError, match=r"manifest.csv:3: there is no file .*01.png"):
        list_crops(tmp_path, ["eu_1"], ignore_others=False)
