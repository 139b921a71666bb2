"""The data of one run on drawings: generated ones, real files, or both, as the trainer's loaders."""

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from retable.classification.data_module import ClassificationDataModule
from retable.data.checking import check_images
from retable.data.images import read_shown_image
from retable.data.splits import ROLES, share_out, stratified_split
from retable.errors import ConfigError
from retable.papers.emoji.classes import CLASSES
from retable.papers.emoji.datasets.files import list_drawings
from retable.papers.emoji.datasets.hands import split_by_hand
from retable.papers.emoji.schema import EmojiConfig
from retable.papers.emoji.training_data import Canvases, EmojiSamples, GeneratedCanvases, RealCanvases

log = logging.getLogger(__name__)


class EmojiDataModule(ClassificationDataModule):
    """Loaders of drawings."""

    classes = CLASSES
    config: EmojiConfig

    def __init__(self, config: EmojiConfig, seed: int) -> None:
        super().__init__(config, seed)
        self._hands = dict(zip(ROLES, (config.train_hands, config.val_hands, config.test_hands), strict=True))
        self._fractions = {role: getattr(config.fractions, role) for role in ROLES}

    @cached_property
    def parts(self) -> dict[str, list[Canvases]]:
        """Where the drawings of each split come from.

        Raises:
            ConfigError: A hand is unknown.
            DataError: The files have a fault, or do not suffice for the splits.
        """
        learnt = ("generated", "real") if self.config.train_on == "both" else (str(self.config.train_on),)
        sources = {"train": learnt, "val": learnt, "test": (str(self.config.test_on),)}
        real = self._real_parts(sources) if any("real" in sources[role] for role in self.roles) else {}
        return {
            role: [real[role] if name == "real" else self._generated(role) for name in sources[role]]
            for role in self.roles
        }

    def _generated(self, role: str) -> GeneratedCanvases:
        sizes = share_out(self.config.per_class, list(self._fractions.values()))
        count = sizes[ROLES.index(role)] * len(CLASSES)
        drawings = self.config.drawings(
            count=count, image_size=self.config.image_size, seed=self.config.drawings_seed, split=role
        )
        return GeneratedCanvases(drawings, self.config.crop_to_ink)

    def _real_parts(self, sources: Mapping[str, Sequence[str]]) -> dict[str, RealCanvases]:
        config = self.config
        drawings, notes = list_drawings(Path(str(config.root)).expanduser())
        labels = [drawing.label for drawing in drawings]
        # the splits are the same, whichever of them are read
        needed = [role for role in ROLES if "real" in sources[role]]
        read = [role for role in needed if role in self.roles]
        if any(self._hands[role] is not None for role in needed):
            hands = {role: self._hands[role] if role in needed else () for role in ROLES}
            val_share = self._fractions["val"] / (self._fractions["train"] + self._fractions["val"])
            chosen = split_by_hand(drawings, hands, val_share, config.split_seed)
        else:
            shares = {role: self._fractions[role] for role in needed}
            chosen = stratified_split(labels, shares, config.split_seed, CLASSES)
        self._notes += notes
        left = len(drawings) - sum(len(chosen[role]) for role in needed)
        if left:
            self._notes.append(f"{left} real drawings are in no split, by data.train_hands, val_hands and test_hands")
        nameless = sum(not drawings[index].hand for role in needed if role != "test" for index in chosen[role])
        if self._hands["test"] is not None and nameless:
            self._notes.append(
                f"{nameless} drawings of no known hand are learnt from, perhaps by those of data.test_hands"
            )
        for role in read:
            if not chosen[role]:
                also = "; give data.test_hands too" if role == "test" and self._hands["test"] is None else ""
                raise ConfigError(f"data.{role}_hands: no drawings are left for {role}{also}")
            absent = [name for label, name in enumerate(CLASSES) if label not in {labels[i] for i in chosen[role]}]
            if absent:
                self._notes.append(f"the real drawings of {role} show no {', '.join(absent)}")
        for note in self._notes:
            log.warning("%s", note)
        if config.check == "decode":
            check_images([drawings[i].path for role in read for i in chosen[role]], read_shown_image, "shown")
        return {
            role: RealCanvases.read([drawings[i] for i in chosen[role]], config.image_size, config.crop_to_ink)
            for role in read
        }

    @cached_property
    def training_set(self) -> EmojiSamples:
        """The training samples."""
        config = self.config
        augmentation = config.augment if config.augment.enabled else None
        return EmojiSamples(self.parts["train"], augmentation, self.seed, config.cache_megabytes)
