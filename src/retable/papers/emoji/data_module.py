"""The data of one run on drawings: generated ones, real files, or both, as the trainer's loaders."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from retable.data import combine_provenances
from retable.data.module import ShardedDataModule, initialise_worker
from retable.errors import ConfigError
from retable.papers.emoji.classes import CLASSES
from retable.papers.emoji.datasets.files import list_drawings
from retable.papers.emoji.datasets.splits import share_out, split_by_hand, stratified_split
from retable.papers.emoji.schema import TestOn, TrainOn
from retable.papers.emoji.training_data import (
    Batch,
    Canvases,
    EmojiSamples,
    GeneratedCanvases,
    RealCanvases,
    as_it_is,
)
from retable.papers.emoji.transforms import Augmentation

ROLES = ("train", "val", "test")
log = logging.getLogger(__name__)


class EmojiDataModule(ShardedDataModule):
    """Loaders of drawings; the keys are described in `retable.papers.emoji.schema.EmojiConfig`.

    Training samples depend on seed, epoch and index alone; in validation and test each drawing is seen exactly once,
    under any number of processes.

    Attributes:
        classes: The eight classes, whichever of them the drawings show.
        test_name: The split that is tested.

    Raises:
        ConfigError: A value that cannot work.
    """

    classes = CLASSES
    test_name = "test"

    def __init__(
        self,
        seed: int,
        root: str | None,
        train_on: TrainOn | None,
        test_on: TestOn | None,
        drawings: Callable[..., Any],
        per_class: int,
        drawings_seed: int,
        fractions: Mapping[str, float],
        split_seed: int,
        train_hands: Sequence[str] | None,
        val_hands: Sequence[str] | None,
        test_hands: Sequence[str] | None,
        image_size: int,
        crop_to_ink: bool,
        batch_size: int,
        eval_batch_size: int,
        workers: int | None,
        cache_megabytes: int,
        augment: Mapping[str, Any],
    ) -> None:
        super().__init__()
        default = "generated" if root is None else "real"
        self.train_on, self.test_on = TrainOn(train_on or default), TestOn(test_on or default)
        if root is None and (self.train_on is not TrainOn.generated or self.test_on is not TestOn.generated):
            key = "test_on" if self.train_on is TrainOn.generated else "train_on"
            raise ConfigError(f"data.{key}={getattr(self, key)} needs real drawings: give data.root=FOLDER")
        if root is not None and self.train_on is TrainOn.generated and self.test_on is TestOn.generated:
            raise ConfigError("data.root is given, but data.train_on and data.test_on use no real drawings")
        least = {"per_class": 3, "image_size": 8, "batch_size": 1, "eval_batch_size": 1}
        for name, value in zip(least, (per_class, image_size, batch_size, eval_batch_size), strict=True):
            if value < least[name]:
                raise ConfigError(f"data.{name}={value}: must be {least[name]} or more")
        for name, fraction in fractions.items():
            if not fraction > 0:
                raise ConfigError(f"data.fractions.{name}={fraction}: must be above 0; only their proportions count")
        self._hands = dict(zip(ROLES, (train_hands, val_hands, test_hands), strict=True))
        for role, names in self._hands.items():
            key = "test_on" if role == "test" else "train_on"
            if names is not None and getattr(self, key) == "generated":
                raise ConfigError(
                    f"data.{role}_hands: there are no real drawings for {role}, as data.{key} is generated; drop it"
                )
        self.seed = seed
        self.first_epoch = 0
        self.image_size, self.batch_size, self.eval_batch_size = image_size, batch_size, eval_batch_size
        self.workers = workers
        self._root = None if root is None else Path(root).expanduser()
        self._generator, self._per_class, self._drawings_seed = drawings, per_class, drawings_seed
        self._fractions, self._split_seed, self._crop_to_ink = dict(fractions), split_seed, crop_to_ink
        self._cache_megabytes = cache_megabytes
        options = dict(augment)
        enabled = options.pop("enabled")
        augmentation = Augmentation(**{**options, "scale": tuple(options["scale"])})  # checked even where it is off
        self._augmentation = augmentation if enabled else None
        self._notes: list[str] = []

    @cached_property
    def parts(self) -> dict[str, list[Canvases]]:
        """Where the drawings of each split come from.

        Raises:
            ConfigError: A hand is unknown.
            DataError: The files have a fault, or do not suffice for the splits.
        """
        sources: dict[str, tuple[str, ...]] = {"test": (str(self.test_on),)}
        learnt = ("generated", "real") if self.train_on is TrainOn.both else (str(self.train_on),)
        sources["train"] = sources["val"] = learnt
        real = self._real_parts(sources) if any("real" in names for names in sources.values()) else {}
        found: dict[str, list[Canvases]] = {}
        for role in ROLES:
            found[role] = [self._generated(role)] if "generated" in sources[role] else []
            found[role] += [real[role]] if "real" in sources[role] else []
        return found

    def _generated(self, role: str) -> GeneratedCanvases:
        sizes = share_out(self._per_class, [self._fractions[name] for name in ROLES])
        count = sizes[ROLES.index(role)] * len(CLASSES)
        drawings = self._generator(count=count, size=self.image_size, seed=self._drawings_seed, split=role)
        return GeneratedCanvases(drawings, self._crop_to_ink)

    def _real_parts(self, sources: Mapping[str, Sequence[str]]) -> dict[str, RealCanvases]:
        assert self._root is not None
        listing = list_drawings(self._root)
        drawings = listing.drawings
        labels = [drawing.label for drawing in drawings]
        needed = [role for role in ROLES if "real" in sources[role]]
        if any(self._hands[role] is not None for role in needed):
            hands = {role: self._hands[role] if role in needed else () for role in ROLES}
            val_share = self._fractions["val"] / (self._fractions["train"] + self._fractions["val"])
            chosen = split_by_hand(drawings, hands, val_share, self._split_seed)
        else:
            chosen = stratified_split(labels, {role: self._fractions[role] for role in needed}, self._split_seed)
        self._notes += listing.notes
        left = len(drawings) - sum(len(chosen[role]) for role in needed)
        if left:
            self._notes.append(f"{left} real drawings are in no split, by data.train_hands, val_hands and test_hands")
        nameless = sum(not drawings[index].hand for role in needed if role != "test" for index in chosen[role])
        if self._hands["test"] is not None and nameless:
            self._notes.append(
                f"{nameless} drawings of no known hand are learnt from, perhaps by those of data.test_hands"
            )
        for role in needed:
            if not chosen[role]:
                also = "; give data.test_hands too" if role == "test" and self._hands["test"] is None else ""
                raise ConfigError(f"data.{role}_hands: no drawings are left for {role}{also}")
            absent = [name for label, name in enumerate(CLASSES) if label not in {labels[i] for i in chosen[role]}]
            if absent:
                self._notes.append(f"the real drawings of {role} show no {', '.join(absent)}")
        for note in self._notes:
            log.warning("%s", note)
        used = sorted(index for role in needed for index in chosen[role])
        place = {index: position for position, index in enumerate(used)}
        canvases = RealCanvases.read([drawings[index] for index in used], self.image_size, self._crop_to_ink)
        return {role: canvases.chosen([place[index] for index in chosen[role]]) for role in needed}

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Kind, sources, fingerprint and split sizes of the data, as plain values; ``counts`` tells each source's."""
        whole = combine_provenances(
            {
                f"{role}/{part.kind}": {
                    "kind": part.kind,
                    "source": part.source,
                    "fingerprint": part.fingerprint(),
                    "splits": {role: len(part)},
                    "notes": self._notes,
                }
                for role, found in self.parts.items()
                for part in found
            }
        )
        counts = {role: {part.kind: len(part) for part in found} for role, found in self.parts.items()}
        return {**whole, "counts": counts}

    @cached_property
    def training_set(self) -> EmojiSamples:
        """The training samples."""
        return EmojiSamples(self.parts["train"], self._augmentation, self.seed, self._cache_megabytes)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Training batches; data.batch_size is divided among the processes, and a last batch is filled up."""
        sampler = self._training_sampler(len(self.training_set), drop_last=False)
        return self._loader(self.training_set, sampler, sampler.batch_size, persistent=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Validation drawings."""
        return self._evaluation_loader("val", persistent=True)

    def test_dataloader(self) -> DataLoader[Batch]:
        """Test drawings."""
        return self._evaluation_loader("test", persistent=False)

    def _evaluation_loader(self, role: str, persistent: bool) -> DataLoader[Batch]:
        dataset = EmojiSamples(self.parts[role], cache_megabytes=self._cache_megabytes)
        sampler = self._evaluation_sampler(len(dataset))
        return self._loader(dataset, sampler, self.eval_batch_size, persistent)

    def _loader(self, dataset: EmojiSamples, sampler: Any, batch_size: int, persistent: bool) -> DataLoader[Batch]:
        workers = self._worker_count()
        return DataLoader(
            dataset,
            batch_size=batch_size,
            sampler=sampler,
            collate_fn=as_it_is,
            num_workers=workers,
            persistent_workers=persistent and workers > 0,
            worker_init_fn=initialise_worker,
            pin_memory=torch.cuda.is_available(),
        )
