"""What the data modules of classifiers share: loaders of their parts, and where these come from."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from torch.utils.data import DataLoader

from retable.classification.classifier import Batch
from retable.classification.samples import ClassifiedPart, ClassifiedSamples
from retable.data.module import ShardedDataModule, as_it_is
from retable.data.provenance import combine_provenances


class ClassificationDataModule(ShardedDataModule):
    """Loaders of images with one class each.

    Training samples depend on seed, epoch and index alone; in validation and test each image is seen exactly once,
    under any number of processes.

    Args:
        config: Options; of these `batch_size`, `eval_batch_size`, `workers` and `cache_megabytes` count here.
        seed: The run's seed.

    Attributes:
        classes: Names of all classes, whichever of them the images show.
        test_name: The split that is tested.
    """

    classes: tuple[str, ...]
    test_name = "test"

    def __init__(self, config: Any, seed: int) -> None:
        super().__init__()
        self.config, self.seed, self.first_epoch = config, seed, 0
        self.batch_size, self.workers = config.batch_size, config.workers
        self._notes: list[str] = []

    @property
    @abstractmethod
    def parts(self) -> Mapping[str, Sequence[ClassifiedPart]]:
        """Where the images of each of `roles` come from."""

    @property
    @abstractmethod
    def training_set(self) -> ClassifiedSamples:
        """The training samples."""

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

    def train_dataloader(self) -> DataLoader[Batch]:
        """Makes training batches; data.batch_size is divided among the processes, and a last batch is filled up."""
        sampler = self._training_sampler(len(self.training_set), drop_last=False)
        return self._loader(self.training_set, sampler, sampler.batch_size, as_it_is)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Makes batches of the validation images."""
        return self._evaluation_loader("val", persistent=True)

    def test_dataloader(self) -> DataLoader[Batch]:
        """Makes batches of the test images."""
        return self._evaluation_loader(self.test_name, persistent=False)

    def _evaluation_loader(self, role: str, persistent: bool) -> DataLoader[Batch]:
        dataset = ClassifiedSamples(self.parts[role], cache_megabytes=self.config.cache_megabytes)
        sampler = self._evaluation_sampler(len(dataset))
        return self._loader(dataset, sampler, self.config.eval_batch_size, as_it_is, persistent)
