"""The data of one run on detection: published files or generated scenes, as the trainer's loaders."""

import itertools
import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader

from retable.data.fingerprint import equal_files
from retable.data.module import ShardedDataModule
from retable.data.provenance import combine_provenances
from retable.detection.dataset import DetectionDataset, JoinedImages
from retable.detection.samples import (
    EvaluationSamples,
    TrainingSamples,
    collate_evaluation,
    collate_training,
    training_boxes,
)
from retable.detection.schema import DetectionDataConfig, SplitNames
from retable.errors import ConfigError, DataError

Batch = dict[str, Any]
log = logging.getLogger(__name__)
_HELD_OUT = 8  # one image of so many is val where the files have none


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
        if config.add_generated and (config.root is None or config.scenes is None):
            raise ConfigError(
                "data.add_generated=true needs a generator and real images beside it: give data.root=FOLDER"
            )
        self.config, self.seed = config, seed
        self.first_epoch = 0
        self.batch_size, self.workers = config.batch_size, config.workers
        self._root = None if config.root is None else Path(config.root).expanduser()

    @cached_property
    def test_name(self) -> str:
        """The tested split: ``test``, or ``val`` where the dataset has no test split."""
        if self._root is None:
            return "test"
        name = self.config.splits.test
        if name != SplitNames.test or self._has_split(name):
            return "test"
        log.warning("%s has no annotated split %r: its val split is tested", self._root, name)
        return "val"

    @cached_property
    def datasets(self) -> dict[str, Any]:
        """The images of those of ``train``, ``val`` and ``test`` that are wanted and there."""
        config = self.config
        roles = [role for role in self.roles if role != "test" or self.test_name == "test"]
        options = {"image_size": config.scene_size, "seed": config.scenes_seed}
        generated = roles if self._root is None else ["train"] if config.add_generated and "train" in roles else []
        made: dict[str, Any] = {
            role: config.scenes(split=role, count=getattr(config.counts, role), **options) for role in generated
        }
        for role, files in ({} if self._root is None else self._files(roles)).items():
            files.check_images(config)
            made[role] = JoinedImages([files, made[role]]) if role in made else files
        classes = {role: list(dataset.classes) for role, dataset in made.items()}
        if any(names != classes[roles[0]] for names in classes.values()):
            raise DataError(f"{self._root}: the splits have different classes: {classes}")
        return made

    def _has_split(self, name: str) -> bool:
        loader: Any = getattr(self.config.files, "func", self.config.files)
        return name in loader.splits(self._root, [name])

    def _files(self, roles: Sequence[str]) -> dict[str, DetectionDataset]:
        """Reads the splits; what two of them have in common is told or removed."""
        names, remove = self.config.splits, self.config.duplicates == "remove"
        held_out = names.val == SplitNames.val and not self._has_split(names.val)
        made: dict[str, DetectionDataset] = {}
        held_out = held_out and "val" in roles
        for role in ("train", *roles) if held_out else roles:
            if role not in made and (role != "val" or not held_out):
                made[role] = self.config.files(root=self._root, split=getattr(names, role))
                made[role].handle_duplicates(remove)
        if held_out:
            made["train"], made["val"] = self._without_every_eighth(made["train"])
        for role, other in itertools.combinations(roles, 2):
            joined = names.train == f"train{names.val}" and (role, other) == ("train", "val")  # by intention
            if not joined:
                made[role] = self._without_common(role, made[role], other, made[other], remove and role == "train")
        return {role: made[role] for role in roles}

    def _without_every_eighth(self, train: DetectionDataset) -> tuple[DetectionDataset, DetectionDataset]:
        held = range(len(train))[_HELD_OUT - 1 :: _HELD_OUT]
        if not held:
            raise DataError(
                f"{self._root}: no split val, and only {len(train)} training images, too few to take it from them; "
                "data.splits.val=NAME names another split"
            )
        rest = [index for index in range(len(train)) if index not in held]
        note = f"no split val: it is every {_HELD_OUT}th image of {train.split}, {len(held)} of {len(train)}"
        return train.subset(rest, train.split, note), train.subset(held, "val")

    def _without_common(
        self, role: str, dataset: DetectionDataset, other: str, others: DetectionDataset, remove: bool
    ) -> DetectionDataset:
        found = equal_files(dataset.image_paths(), others.image_paths())
        if not found:
            return dataset
        index, same = next(iter(found.items()))
        note = f"{len(found)} images of {role} are in {other} too, first {dataset.image_ids[index]}"
        note += f" as {others.image_ids[same]}"
        rest = [index for index in range(len(dataset)) if index not in found]
        if remove and not rest:
            raise DataError(f"{self._root}: all images of {role} are in {other} too; give another split")
        if remove:
            return dataset.subset(rest, dataset.split, f"{note}, and were left out of {role}")
        dataset.add_note(note + ("; data.duplicates=remove leaves them out" if role == "train" else ""))
        return dataset

    @property
    def classes(self) -> list[str]:
        """Names of the labels 0, 1, and so on."""
        return list(next(iter(self.datasets.values())).classes)

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
