"""The data of one run on ships: published files or generated scenes, as the trainer's loaders."""

import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from retable.boxes import upright_size
from retable.data import combine_provenances
from retable.data.module import ShardedDataModule, initialise_worker
from retable.detection.samples import (
    ShipEvaluationSet,
    ShipTrainingSet,
    collate_evaluation,
    collate_training,
    training_boxes,
)
from retable.detection.transforms import Augmentation
from retable.errors import ConfigError, DataError

Batch = dict[str, Any]
log = logging.getLogger(__name__)


class ShipDataModule(ShardedDataModule):
    """Loaders of a ship dataset; the keys are described in `retable.detection.schema.ShipsConfig`.

    Training samples depend on seed, epoch and index alone; in validation and test each image is seen exactly once,
    under any number of processes.

    Raises:
        ConfigError: A value that cannot work, or neither real files nor a generator.
        DataError: The files have a fault.
    """

    def __init__(
        self,
        seed: int,
        root: str | None,
        files: Callable[..., Any] | None,
        scenes: Callable[..., Any] | None,
        splits: Mapping[str, str],
        counts: Mapping[str, int],
        scene_size: int,
        scenes_seed: int,
        image_size: int,
        resize: float,
        max_side: int | None,
        batch_size: int,
        eval_batch_size: int,
        workers: int | None,
        cache_megabytes: int,
        tile_overlap: int,
        empty_tiles: float,
        augment: Mapping[str, Any],
    ) -> None:
        super().__init__()
        if root is None and scenes is None:
            raise ConfigError("data.root has no value and this dataset has no generator: give data.root=FOLDER")
        if root is not None and files is None:
            raise ConfigError("data.root is given, but data.files names no loader for it")
        for name, value in (("batch_size", batch_size), ("eval_batch_size", eval_batch_size)):
            if value < 1:
                raise ConfigError(f"data.{name}={value}: must be 1 or more")
        self.seed = seed
        self.first_epoch = 0
        self.image_size = image_size
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size
        self.workers, self.tile_overlap, self.empty_tiles = workers, tile_overlap, empty_tiles
        self._root = None if root is None else Path(root).expanduser()
        self._files, self._scenes = files, scenes
        self._splits, self._counts = dict(splits), dict(counts)
        self._scene_options = {"image_size": scene_size, "seed": scenes_seed}
        self._scale: dict[str, Any] = {"resize": resize, "max_side": max_side}
        self._cache_megabytes = cache_megabytes
        options = dict(augment)
        enabled = options.pop("enabled")
        self._augmentation = Augmentation(**{**options, "scale": tuple(options["scale"])}) if enabled else None

    @cached_property
    def test_name(self) -> str:
        """The tested split: ``test``, or ``val`` where the dataset has no test split."""
        if self._root is None or self._files is None:
            return "test"
        loader: Any = getattr(self._files, "func", self._files)
        found = loader.splits(self._root)
        if self._splits["test"] in found:
            return "test"
        log.warning("%s has no split %r: its val split is tested", self._root, self._splits["test"])
        return "val"

    @cached_property
    def datasets(self) -> dict[str, Any]:
        """The images of ``train``, ``val`` and, where there is one, ``test``."""
        roles = ("train", "val", "test")[: 2 if self.test_name == "val" else 3]
        if self._root is None:
            assert self._scenes is not None
            made = {role: self._scenes(split=role, count=self._counts[role], **self._scene_options) for role in roles}
        else:
            assert self._files is not None
            made = {role: self._files(root=self._root, split=self._splits[role]) for role in roles}
        classes = {role: list(dataset.classes) for role, dataset in made.items()}
        if any(names != classes["train"] for names in classes.values()):
            raise DataError(f"{self._root}: the splits have different classes: {classes}")
        return made

    @property
    def classes(self) -> list[str]:
        """Names of the labels 0, 1, and so on."""
        return list(self.datasets["train"].classes)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Kind, source, fingerprint and split sizes of the data, as plain values."""
        return combine_provenances(
            {role: {**dataset.provenance, "splits": {role: len(dataset)}} for role, dataset in self.datasets.items()}
        )

    def training_box_sizes(self) -> Tensor:
        """Upright sizes (N, 2) in pixels of all training boxes at the scale of training, for the anchors."""
        return upright_size(torch.from_numpy(training_boxes(self.datasets["train"], **self._scale)))

    @cached_property
    def training_set(self) -> ShipTrainingSet:
        """The training samples."""
        return ShipTrainingSet(
            self.datasets["train"],
            self.image_size,
            self._augmentation,
            self.seed,
            overlap=self.tile_overlap,
            empty_tiles=self.empty_tiles,
            cache_megabytes=self._cache_megabytes,
            **self._scale,
        )

    def train_dataloader(self) -> DataLoader[Batch]:
        """Training batches; data.batch_size is divided among the processes."""
        sampler = self._training_sampler(len(self.training_set), drop_last=True)
        workers = self._worker_count()
        return DataLoader(
            self.training_set,
            batch_size=sampler.batch_size,
            sampler=sampler,
            collate_fn=collate_training,
            num_workers=workers,
            persistent_workers=workers > 0,
            worker_init_fn=initialise_worker,
            pin_memory=torch.cuda.is_available(),
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        """Whole validation images."""
        return self._evaluation_loader("val", persistent=True)

    def test_dataloader(self) -> DataLoader[Batch]:
        """Whole images of the tested split."""
        return self._evaluation_loader(self.test_name, persistent=False)

    def _evaluation_loader(self, role: str, persistent: bool) -> DataLoader[Batch]:
        dataset = ShipEvaluationSet(self.datasets[role], cache_megabytes=self._cache_megabytes, **self._scale)
        workers = self._worker_count()
        return DataLoader(
            dataset,
            batch_size=self.eval_batch_size,
            sampler=self._evaluation_sampler(len(dataset)),
            collate_fn=collate_evaluation,
            num_workers=workers,
            persistent_workers=persistent and workers > 0,
            worker_init_fn=initialise_worker,
        )
