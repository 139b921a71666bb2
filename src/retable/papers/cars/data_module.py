"""The data of one run on cars: all images in memory, batches made on the device."""

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from retable.data.module import ShardedDataModule, as_it_is
from retable.data.provenance import Provenance
from retable.errors import ConfigError
from retable.papers.cars.datasets.folder import PictureFolder, read_folder
from retable.papers.cars.schema import CarsConfig

Batch = dict[str, Tensor]
"""images float32 (B, 3, S, S) in [0, 1], indices int64 (B,): places in the set."""

log = logging.getLogger(__name__)


class CarsDataModule(ShardedDataModule):
    """Loaders of cars.

    The essay has no split: all images are learnt from, and samples are scored against all of them. The set is uint8
    and small (82 MB for 6,700 images of 64 x 64), so that it is copied to the device once; loaders hand out indices
    only, and `transfer_batch_to_device` makes the batch there. Which images a training batch holds, and which of them
    are mirrored, depends on seed, epoch and index alone. In validation and test each image comes once, in order.

    Args:
        config: Which cars, and how they are batched.
        seed: The run's seed.

    Attributes:
        test_name: The split that is tested.
        mirrors: Whether training batches hold mirrored images.
    """

    test_name = "test"
    workers = 0  # there is nothing to be read

    def __init__(self, config: CarsConfig, seed: int) -> None:
        super().__init__()
        self.config, self.seed = config, seed
        self.first_epoch = 0
        self.image_size, self.batch_size = config.image_size, config.batch_size
        self._flip = config.augment.horizontal_flip if config.augment.enabled else 0.0
        self.mirrors = self._flip > 0
        self._resident: Tensor | None = None

    @cached_property
    def _folder(self) -> PictureFolder | None:
        if self.config.root is None:
            return None
        root = Path(self.config.root).expanduser()
        folder = read_folder(root, self.image_size, self.config.fit, self.config.background, self.config.check)
        for note in folder.notes:
            log.warning("%s", note)
        return folder

    @cached_property
    def _scenes(self) -> Any:
        config = self.config
        return config.scenes(count=config.count, image_size=config.image_size, seed=config.scenes_seed)

    @cached_property
    def images(self) -> Tensor:
        """All images, uint8 (N, 3, S, S): generated ones by index, those of a folder in the natural order of names.

        Raises:
            DataError: An image cannot be read.
        """
        if self._folder is not None:
            pixels = self._folder.images
        else:
            with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # kernels leave the interpreter to the others
                pixels = np.stack(list(pool.map(self._scenes.image, range(self.config.count))))
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Kind, source, fingerprint and number of the images, as plain values."""
        note = "one set without a split, as in the essay: a run's samples are scored against what it learnt from"
        folder = self._folder
        return Provenance(
            kind="synthetic" if folder is None else "real",
            source="generated cars" if folder is None else "own pictures",
            fingerprint=self._scenes.fingerprint() if folder is None else folder.fingerprint,
            splits=dict.fromkeys(("train", "val", "test"), len(self.images)),
            notes=(note, *(() if folder is None else folder.notes)),
        ).as_dict()

    def train_dataloader(self) -> DataLoader[Tensor]:
        """Makes the keys of training batches; processes share each batch, and incomplete batches are left out.

        Raises:
            ConfigError: There are fewer images than a batch has.
        """
        config = self.config
        count, source = (
            (config.count, "data.count")
            if self._folder is None
            else (len(self._folder.names), f"data.root={config.root}")
        )
        if count < self.batch_size:
            raise ConfigError(
                f"data.batch_size={self.batch_size}: {source} has {count} images, fewer than a batch; "
                f"set data.batch_size={count} or less"
            )
        sampler = self._training_sampler(len(self.images), drop_last=True)
        return self._loader(Keys(len(self.images), self.seed, self._flip), sampler, sampler.batch_size, as_it_is)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Makes the keys of all images, in order."""
        sampler = self._evaluation_sampler(len(self.images))
        return self._loader(Keys(len(self.images)), sampler, self.config.eval_batch_size, as_it_is)

    test_dataloader = val_dataloader

    def transfer_batch_to_device(self, batch: Tensor, device: torch.device, dataloader_idx: int) -> Batch:
        """Makes a batch of `Keys` (B, 2) on the device, to which the whole set is copied on the first call."""
        if self._resident is None or self._resident.device != device:
            self._resident = self.images.to(device)
        indices = batch[:, 0].to(device, non_blocking=True)
        images = self._resident.index_select(0, indices)  # many times quicker than [indices] on a CPU
        if self._flip:
            mirrored = batch[:, 1].to(device, non_blocking=True).bool()
            images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        return {"images": images.to(torch.float32).mul_(1 / 255), "indices": indices}


class Keys(Dataset[Tensor]):
    """What a batch consists of: (B, 2) int64, the index of each image, and 1 where it is mirrored.

    A share `flip` of the images is mirrored, chosen by seed, epoch and index.
    """

    def __init__(self, length: int, seed: int = 0, flip: float = 0.0) -> None:
        self._length, self._seed, self._flip = length, seed, flip

    def __len__(self) -> int:
        return self._length

    def __getitems__(self, keys: Sequence[tuple[int, int] | int]) -> Tensor:
        """Makes the keys of a batch from (epoch, index) each, all of one epoch; a bare index is not mirrored."""
        if isinstance(keys[0], int):
            return torch.tensor([(key, 0) for key in keys])
        epochs, indices = np.array(keys).T
        mirrored = np.random.default_rng([self._seed, epochs[0]]).random(self._length)[indices] < self._flip
        return torch.from_numpy(np.stack([indices, mirrored], axis=1).astype(np.int64))
