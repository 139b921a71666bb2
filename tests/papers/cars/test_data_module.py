"""The set in memory and its batches: shares of processes, epochs, mirroring, provenance, faults."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor

from retable.errors import ConfigError, DataError
from retable.papers.cars.data_module import CarsDataModule
from retable.papers.cars.schema import AugmentConfig, CarsConfig
from retable.run.build import build
from retable.run.command_line import compose

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

CPU = torch.device("cpu")
FLIPPED = AugmentConfig(enabled=True, horizontal_flip=0.5)


class Ramps:
    """A generator whose image i holds i in its first row, and a ramp from left to right below."""

    def __init__(self, count: int, image_size: int, seed: int) -> None:
        self.count, self.size, self.seed = count, image_size, seed

    def image(self, index: int) -> NDArray[np.uint8]:
        image = np.zeros((self.size, self.size, 3), np.uint8)
        image[:] = np.arange(self.size)[None, :, None]
        image[0] = index
        return image

    def fingerprint(self) -> str:
        return f"{self.count} {self.size} {self.seed}"


def module(seed: int = 1, **changes: Any) -> CarsDataModule:
    keys: dict[str, Any] = {"scenes": Ramps, "count": 22, "image_size": 8, "batch_size": 4, "eval_batch_size": 5}
    return CarsDataModule(CarsConfig(**{**keys, **changes}), seed)


def batches(data: CarsDataModule, loader: Any) -> list[dict[str, Tensor]]:
    return [data.transfer_batch_to_device(keys, CPU, 0) for keys in loader]


def indices(found: list[dict[str, Tensor]]) -> list[int]:
    return [int(index) for batch in found for index in batch["indices"]]


def write_images(folder: Path, count: int, side: int = 8) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        assert cv2.imwrite(str(folder / f"{index}.png"), np.full((side, side, 3), index, np.uint8))


def test_images_are_the_whole_set_in_order() -> None:
    images = module().images
    assert images.shape == (22, 3, 8, 8)
    assert images.dtype == torch.uint8
    assert images.is_contiguous()
    assert images[:, 1, 0, 0].tolist() == list(range(22))
    assert images[3, 2, 5].tolist() == list(range(8))


def test_batches_are_of_the_contract() -> None:
    data = module()
    batch = batches(data, data.train_dataloader())[0]
    assert batch["images"].shape == (4, 3, 8, 8)
    assert batch["images"].dtype == torch.float32
    assert batch["indices"].dtype == torch.int64
    torch.testing.assert_close(batch["images"], data.images[batch["indices"]].float() / 255)


def test_an_epoch_holds_whole_batches_of_different_images() -> None:
    data = module()
    loader = data.train_dataloader()
    first = indices(batches(data, loader))
    assert len(first) == len(set(first)) == 20  # two images are left out
    loader.sampler.set_epoch(1)  # type: ignore[attr-defined]
    second = indices(batches(data, loader))
    assert second != first
    resumed = module()
    resumed.first_epoch = 1
    assert indices(batches(resumed, resumed.train_dataloader())) == second
    assert indices(batches(module(seed=2), module(seed=2).train_dataloader())) != first


def test_mirroring_depends_on_seed_epoch_and_index_alone() -> None:
    def mirrored(epoch: int, **changes: Any) -> dict[int, bool]:
        data = module(**{"augment": FLIPPED, **changes})
        data.first_epoch = epoch
        found: dict[int, bool] = {}
        for batch in batches(data, data.train_dataloader()):
            for image, index in zip(batch["images"], batch["indices"], strict=True):
                ramp = (image[0, 5] * 255).round().int().tolist()
                assert ramp in (list(range(8)), list(range(8))[::-1])
                found[int(index)] = ramp[0] == 7
        return found

    count = 240
    first = mirrored(3, count=count)
    assert 0.35 < sum(first.values()) / count < 0.65
    assert mirrored(3, count=count, batch_size=60) == first
    assert mirrored(4, count=count) != first
    assert mirrored(3, count=count, seed=2) != first
    assert all(mirrored(3, count=count, augment=AugmentConfig(enabled=True, horizontal_flip=1.0)).values())
    data = module(augment=FLIPPED)
    for batch in batches(data, data.val_dataloader()):
        assert (batch["images"][:, 0, 5, 0] == 0).all()  # never in validation


def test_without_flip_nothing_is_mirrored() -> None:
    data = module(count=60)
    assert all((batch["images"][:, 0, 5, 0] == 0).all() for batch in batches(data, data.train_dataloader()))


def test_validation_and_test_show_each_image_once_in_order() -> None:
    data = module()
    for loader in (data.val_dataloader(), data.test_dataloader()):
        assert indices(batches(data, loader)) == list(range(22))


def test_processes_share_batches_and_images() -> None:
    whole = batches(module(), module().train_dataloader())
    parts, tested = [], []
    for rank in range(2):
        data = module()
        data.trainer = SimpleNamespace(world_size=2, global_rank=rank)  # type: ignore[assignment]
        parts.append(batches(data, data.train_dataloader()))
        tested += indices(batches(data, data.test_dataloader()))
    for number, batch in enumerate(whole):
        both = torch.cat([part[number]["indices"] for part in parts])
        assert torch.equal(both, batch["indices"])
    assert sorted(tested) == list(range(22))
    data = module(batch_size=5)
    data.trainer = SimpleNamespace(world_size=2, global_rank=0)  # type: ignore[assignment]
    with pytest.raises(ConfigError, match=r"data\.batch_size=5: must be divisible by the 2 processes"):
        data.train_dataloader()


def test_a_folder_takes_the_place_of_the_generator(tmp_path: Path) -> None:
    write_images(tmp_path / "some", 11)
    data = module(root=str(tmp_path))
    assert data.images[:, 0, 0, 0].tolist() == list(range(11))  # 10.png comes last
    provenance = data.provenance
    assert provenance["kind"] == "real"
    assert provenance["splits"] == {"train": 11, "val": 11, "test": 11}
    assert len(provenance["notes"]) == 1
    assert str(tmp_path) not in str(provenance)
    small = module(root=str(tmp_path), image_size=16)
    assert small.images.shape == (11, 3, 16, 16)
    assert any("11 of 11 images are not 16 x 16" in note for note in small.provenance["notes"])


def test_provenance_of_generated_cars() -> None:
    provenance = module().provenance
    assert provenance["kind"] == "synthetic"
    assert provenance["fingerprint"] == "22 8 0"
    assert module(scenes_seed=3).provenance["fingerprint"] != provenance["fingerprint"]
    assert module(seed=9).provenance["fingerprint"] == provenance["fingerprint"]  # all seeds see one set


def test_fewer_images_than_a_batch_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.batch_size=23: data\.count has 22 images.*batch_size=22 or less"):
        module(batch_size=23).train_dataloader()
    write_images(tmp_path, 3)
    with pytest.raises(ConfigError, match=r"data\.batch_size=4: data\.root=.* has 3 images, fewer than a batch"):
        module(root=str(tmp_path)).train_dataloader()
    (tmp_path / "0.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"0\.png"):
        _ = module(root=str(tmp_path)).images


@pytest.mark.parametrize("key", ["count", "image_size", "batch_size", "eval_batch_size"])
def test_impossible_values_are_told(key: str) -> None:
    with pytest.raises(ConfigError, match=f"^{key}=0: must be"):
        module(**{key: 0})


def test_shares_are_checked() -> None:
    with pytest.raises(ConfigError, match=r"horizontal_flip=2\.0: must be from 0 to 1"):
        AugmentConfig(horizontal_flip=2.0)


def test_the_configuration_builds_the_generator() -> None:
    config = compose("train", ["model=dcgan", "data=cars", "budget=smoke", "hydra=quiet"])
    data = build(config.data, seed=1)
    assert data.images.shape == (config.data.count, 3, config.data.image_size, config.data.image_size)
    assert data.provenance["kind"] == "synthetic"
    paper = compose("train", ["model=dcgan", "data=cars", "budget=paper", "hydra=quiet"])
    assert (paper.data.count, paper.data.image_size, paper.data.batch_size) == (6700, 64, 256)
    assert paper.trainer.max_epochs == 3500


class Listener(LightningModule):
    """Remembers the images that a trainer hands to it."""

    automatic_optimization = False

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[int, list[int]]] = []

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        assert batch["images"].dtype == torch.float32
        self.heard.append((self.current_epoch, batch["indices"].tolist()))

    def configure_optimizers(self) -> None:
        return None


@pytest.mark.filterwarnings("ignore")
def test_a_trainer_gets_batches_and_a_resumed_one_the_same(tmp_path: Path) -> None:
    def heard(epochs: int, first: int = 0) -> list[tuple[int, list[int]]]:
        listener, data = Listener(), module()
        data.first_epoch = first
        trainer = Trainer(
            accelerator="cpu", max_epochs=epochs, logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, use_distributed_sampler=False, default_root_dir=tmp_path,
        )  # fmt: skip
        trainer.fit_loop.epoch_progress.current.processed = first
        trainer.fit_loop.epoch_progress.current.completed = first
        trainer.fit(listener, data)
        return listener.heard

    whole = heard(3)
    assert len(whole) == 15
    assert whole[:5] != whole[5:10]
    assert heard(3, first=2) == whole[10:]
