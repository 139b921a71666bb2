"""Which sample comes when: orders that depend on seed and epoch alone, also under several processes.

Trainers must not replace these samplers by their own (Lightning: `use_distributed_sampler=False`).
"""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from retable.errors import ConfigError


class EpochSampler(Sampler[tuple[int, int]]):
    """The order of training samples, as keys (epoch, index).

    The dataset gets the epoch with the index, so that a sample's augmentation can depend on seed, epoch and
    index alone, whichever worker or process makes it, and whether or not the run was interrupted before.

    All processes together see the epoch's permutation in consecutive global batches of
    `batch_size * world_size` samples; process `rank` gets the slice `rank * batch_size : (rank + 1) *
    batch_size` of each. So global batch k holds the samples that one process with the batch size `batch_size
    * world_size` gets, and all processes take the same number of whole batches.

    Args:
        length: Number of samples in the dataset.
        batch_size: Samples a batch and process, as given to the DataLoader.
        seed: What the order depends on besides the epoch.
        shuffle: False keeps the dataset's order in each epoch.
        rank: Number of this process.
        world_size: Number of processes.
        drop_last: What happens to the samples that do not fill a last global batch: True leaves them out (others in
            each shuffled epoch), False fills the batch with samples from the epoch's start. A dataset smaller than
            one global batch is always filled up: an epoch has one batch at least.
        epoch: The first epoch. A resumed run has to give it: loader workers fetch their first samples before the
            trainer gets round to `set_epoch`.

    Raises:
        ConfigError: A length, batch size, rank or world size that makes no sense.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        seed: int,
        *,
        shuffle: bool = True,
        rank: int = 0,
        world_size: int = 1,
        drop_last: bool = False,
        epoch: int = 0,
    ) -> None:
        _check(length, rank, world_size)
        if batch_size < 1:
            raise ConfigError(f"the batch size is {batch_size}; it must be 1 or more")
        self.length = length
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.rank = rank
        self.world_size = world_size
        self.drop_last = drop_last
        self.epoch = epoch

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch of the next iteration. Lightning calls this at the start of each epoch."""
        self.epoch = epoch

    @property
    def batches(self) -> int:
        """Batches an epoch: the same number for each process."""
        whole, rest = divmod(self.length, self.batch_size * self.world_size)
        return max(1, whole) if self.drop_last else whole + (rest > 0)

    def __len__(self) -> int:
        return self.batches * self.batch_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch = self.epoch
        if self.shuffle:
            # the third number keeps this stream apart from the samples' own, [seed, epoch, index]
            order = np.random.default_rng([self.seed, epoch, 2**32 - 1]).permutation(self.length)
        else:
            order = np.arange(self.length)
        filled = np.resize(order, self.batches * self.batch_size * self.world_size)  # repeats from the start
        mine = filled.reshape(self.batches, self.world_size, self.batch_size)[:, self.rank].ravel()
        return iter([(epoch, int(index)) for index in mine])


class ShardSampler(Sampler[int]):
    """The images that one process evaluates: `rank`, `rank + world_size`, and so on, each image exactly once.

    Nothing is repeated to make processes even, because a repeated image would count twice in a metric.
    Processes can therefore differ by one image in number.

    Args:
        length: Number of images.
        rank: Number of this process.
        world_size: Number of processes.

    Raises:
        ConfigError: A length, rank or world size that makes no sense.
    """

    def __init__(self, length: int, *, rank: int = 0, world_size: int = 1) -> None:
        _check(length, rank, world_size)
        self._indices = range(rank, length, world_size)

    def __len__(self) -> int:
        return len(self._indices)

    def __iter__(self) -> Iterator[int]:
        return iter(self._indices)


def _check(length: int, rank: int, world_size: int) -> None:
    if length < 1:
        raise ConfigError("there is nothing to sample: the dataset is empty")
    if not 0 <= rank < world_size:
        raise ConfigError(f"process {rank} of {world_size}: the number must be from 0 to {world_size - 1}")
