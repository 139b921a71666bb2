"""The photos of one run as the trainer's loaders."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from retable.data.checking import check_images
from retable.data.images import read_image
from retable.data.provenance import combine_provenances
from retable.data.splits import ROLES, block_split
from retable.errors import DataError
from retable.papers.barcodes.datasets.labelled import LabelledPhoto
from retable.papers.barcodes.datasets.loaders import BarcodeLoaders
from retable.papers.barcodes.datasets.parts import (
    GeneratedPhotos,
    Photo,
    PhotoPart,
    RealPhotos,
    fitted,
    stacked,
    varied,
)
from retable.papers.barcodes.datasets.schema import BarcodesConfig, PhotoAugmentation
from retable.papers.barcodes.datasets.tables import PhotoList, find_lists, read_list
from retable.synthetic.rng import RandomStream

Batch = dict[str, Any]
"""images float32 (B, 3, H, W) in [0, 1], sides up to the input's and multiples of `GRID`; corners and others, lists of
(n, 4, 2) float32 in pixels of these images; codes, a list of tuples of n strings; is_boxes bool (B,), where the corners
are those of upright boxes around symbols; scales (B,), pixels of the photo for one of the image; indices (B,)."""

log = logging.getLogger(__name__)


class PhotoSamples(Dataset[Batch]):
    """Batches of photos.

    Args:
        parts: Where photos come from, one after the other.
        size: Side of the images in pixels.
        augment: What varies of real ones; None for nothing.
        fresh: Whether another epoch has other generated ones.
        seed: Of what varies.
    """

    def __init__(
        self,
        parts: Sequence[PhotoPart],
        size: int,
        augment: PhotoAugmentation | None = None,
        fresh: bool = False,
        seed: int = 0,
    ) -> None:
        self._parts, self._size, self._augment, self._fresh, self._seed = tuple(parts), size, augment, fresh, seed
        self._places = [(part, index) for part in self._parts for index in range(len(part))]

    def __len__(self) -> int:
        return len(self._places)

    def __getitems__(self, keys: Sequence[tuple[int, int] | int]) -> Batch:
        """Makes a batch of (epoch, index) keys, as of `EpochSampler`; a bare index means epoch 0, as it is."""
        pairs = [(0, key) if isinstance(key, int) else key for key in keys]
        found = [self._sample(epoch, index) for epoch, index in pairs]
        photos = [photo for photo, _ in found]
        images = torch.from_numpy(stacked([photo.image for photo in photos]))
        return {
            "images": images.permute(0, 3, 1, 2).float().div_(255),
            "corners": [_stacked(photo.corners) for photo in photos],
            "others": [_stacked(photo.others) for photo in photos],
            "codes": [photo.codes for photo in photos],
            "is_boxes": torch.tensor([photo.is_boxes for photo in photos]),
            "scales": torch.tensor([scale for _, scale in found]),
            "indices": torch.tensor([index for _, index in pairs]),
        }

    def _sample(self, epoch: int, index: int) -> tuple[Photo, float]:
        part, place = self._places[index]
        photo, scale = fitted(part.load(place, epoch if self._fresh else 0), self._size)
        if self._augment is not None and self._augment.enabled and part.kind == "real":
            photo = varied(photo, self._augment, RandomStream(self._seed, epoch, index))
        return photo, scale


class BarcodesDataModule(BarcodeLoaders):
    """Loaders of photos with barcodes; see `BarcodeLoaders`."""

    config: BarcodesConfig

    def __init__(self, config: BarcodesConfig, seed: int) -> None:
        super().__init__(config, seed)

    @cached_property
    def parts(self) -> dict[str, list[PhotoPart]]:
        """Where the photos of each of `roles` come from.

        Raises:
            DataError: The files have a fault, or do not suffice for the splits.
        """
        sources = self._sources
        wanted = [role for role in self.roles if "real" in sources[role]]
        real = self._real(wanted) if wanted else {}
        return {
            role: [real[role] if source == "real" else self._generated(role) for source in sources[role]]
            for role in self.roles
        }

    @property
    def _sources(self) -> dict[str, tuple[str, ...]]:
        config = self.config
        learnt = ("generated", "real") if config.train_on == "both" else (config.train_on,)
        tested = config.test_on or ("generated" if config.root is None else "real")
        return {"train": learnt, "val": (learnt[-1],), "test": (tested,)}

    def _generated(self, role: str) -> PhotoPart:
        config = self.config
        return GeneratedPhotos(
            config.scenes(
                split=role, count=getattr(config.counts, role), image_size=config.scene_size, seed=config.scenes_seed
            )
        )

    def _real(self, roles: Sequence[str]) -> dict[str, PhotoPart]:
        config = self.config
        root = Path(str(config.root)).expanduser()
        lists = {
            split: read_list(path, config.upright, config.faulty_rows == "leave_out")
            for split, path in find_lists(root).items()
        }
        chosen = self._split({split: self._of_group(found) for split, found in lists.items()})
        for role in roles:
            if not chosen[role]:
                raise DataError(f"data.root={root}: no photos are left for {role}; add some, or change data.fractions")
            if role != "test" and any(symbol.is_box for photo in chosen[role] for symbol in photo.symbols):
                raise DataError(
                    f"data.root={root}: only upright boxes around symbols are known, which can be tested on but not "
                    "learnt from; use data.train_on=generated, or a markup.csv with corners"
                )
        self.notes += [note for found in lists.values() for note in found.notes]
        for note in self.notes:
            log.warning("%s", note)
        if config.check == "decode":
            files = dict.fromkeys(photo.path for role in roles for photo in chosen[role])
            check_images(list(files), partial(read_image, upright=config.upright), f"upright={config.upright}")
        return {role: RealPhotos(chosen[role], config.upright) for role in roles}

    def _of_group(self, found: PhotoList) -> list[LabelledPhoto]:
        group = self.config.group
        photos = [photo for photo in found.photos if group in (None, photo.group)]
        if not photos and group is None:
            raise DataError(f"{found.path}: lists no photos")
        if not photos:
            known = ", ".join(sorted({photo.group for photo in found.photos} - {""})) or "none"
            raise DataError(f"data.group={group}: {found.path} has no photos of this set; its sets are {known}")
        return photos

    def _split(self, lists: dict[str, list[LabelledPhoto]]) -> dict[str, list[LabelledPhoto]]:
        """Shares photos out: those with a list of their own as it says, all others by blocks of their order."""
        if self.config.train_on == "generated":  # none is learnt from, so that all may be tested
            every = [photo for photos in lists.values() for photo in photos]
            return {role: lists.get(role, every) for role in ROLES}
        photos = lists.get("train") or lists["all"]
        fractions = {role: getattr(self.config.fractions, role) for role in ROLES}
        if "test" in lists:
            fractions["test"] = 0.0
        members = block_split([photo.group for photo in photos], fractions)
        found = {role: [photos[index] for index in indices] for role, indices in members.items()}
        return {"test": lists.get("test", []), **found}

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Kind, sources, fingerprint and split sizes of the data, as plain values."""
        parts = self.parts
        return combine_provenances(
            {
                f"{role}/{part.kind}": {
                    "kind": part.kind,
                    "source": part.source,
                    "fingerprint": part.fingerprint(),
                    "splits": {role: len(part)},
                    "notes": self.notes,
                }
                for role, found in parts.items()
                for part in found
            }
        )

    def samples(self, role: str, learnt: bool) -> PhotoSamples:
        """Returns the photos of a split; real ones that are learnt from vary."""
        config, parts = self.config, self.parts[role]
        if learnt:
            return PhotoSamples(parts, config.image_size, config.augment, config.fresh, self.seed)
        return PhotoSamples(parts, config.image_size)


def _stacked(quadrangles: Sequence[Any]) -> Tensor:
    return torch.from_numpy(np.array(quadrangles, np.float32).reshape(-1, 4, 2))
