"""The data of one run on detection: published files or generated scenes, as the trainer's loaders."""

import logging
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader

from retable.data import combine_provenances
from retable.data.module import ShardedDataModule
from retable.detection.samples import (
    EvaluationSamples,
    TrainingSamples,
    collate_evaluation,
    collate_training,
    training_boxes,
)
from retable.detection.schema import DetectionDataConfig
from retable.errors import ConfigError, DataError

Batch = dict[str, Any]
log = logging.getLogger(__name__)


class DetectionDataModule(ShardedDataModule):
    """Loaders of a detection dataset.

    Training samples depend on seed, epoch and index alone; in validation and test each image is seen exactly once,
    under any number of processes.

    Raises:
        ConfigError: A value that cannot work, or neither real files nor a generator.
        DataError: The files have a fault.
    """

    def __init__(self, config: DetectionDataConfig, seed: int) -> None:
        super().__init__()
        if config.root is None and config.scenes is None:
            raise ConfigError("data.root has no value and this dataset has no generator: give data.root=FOLDER")
        if config.root is not None and config.files is None:
            raise ConfigError("data.root is given, but data.files names no loader for it")
        self.config, self.seed = config, seed
        self.first_epoch = 0
        self.batch_size, self.workers = config.batch_size, config.workers
        self._root = None if config.root is None else Path(config.root).expanduser()

    @cached_property
    def test_name(self) -> str:
        """The tested split: ``test``, or ``val`` where the dataset has no test split."""
        if self._root is None:
            return "test"
        loader: Any = getattr(self.config.files, "func", self.config.files)
        if self.config.splits.test in loader.splits(self._root):
            return "test"
        log.warning("%s has no split %r: its val split is tested", self._root, self.config.splits.test)
        return "val"

    @cached_property
    def datasets(self) -> dict[str, Any]:
        """The images of ``train``, ``val`` and, where there is one, ``test``."""
        config, roles = self.config, ("train", "val", "test")[: 2 if self.test_name == "val" else 3]
        if self._root is None:
            options = {"image_size": config.scene_size, "seed": config.scenes_seed}
            made = {role: config.scenes(split=role, count=getattr(config.counts, role), **options) for role in roles}
        else:
            made = {role: config.files(root=self._root, split=getattr(config.splits, role)) for role in roles}
            for dataset in made.values():
                dataset.check_images(config)
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

    def training_boxes(self) -> Tensor:
        """All training boxes at the scale of training, (N, 5) or (N, 4) in pixels, for the anchors."""
        return training_boxes(self.config, self.datasets["train"])

    @cached_property
    def training_set(self) -> TrainingSamples:
        """The training samples."""
        return TrainingSamples(self.config, self.datasets["train"], self.seed)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Training batches; data.batch_size is divided among the processes."""
        sampler = self._training_sampler(len(self.training_set), drop_last=True)
        return self._loader(self.training_set, sampler, sampler.batch_size, collate_training)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Whole validation images."""
        return self._evaluation_loader("val", persistent=True)

    def test_dataloader(self) -> DataLoader[Batch]:
        """Whole images of the tested split."""
        return self._evaluation_loader(self.test_name, persistent=False)

    def _evaluation_loader(self, role: str, persistent: bool) -> DataLoader[Batch]:
        dataset = EvaluationSamples(self.config, self.datasets[role])
        sampler = self._evaluation_sampler(len(dataset))
        return self._loader(dataset, sampler, self.config.eval_batch_size, collate_evaluation, persistent)
