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
        outlier_kinds: Names of the kinds of images of no class, which have the labels -1, -2, and so on; none where all
            are of a class.
        test_name: The split that is tested.
    """

    classes: tuple[str, ...]
    outlier_kinds: tuple[str, ...] = ()
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
    def outliers(self) -> Mapping[str, Sequence[ClassifiedPart]]:
        """Where images of no class come from, of each of `roles`; empty where there are none."""
        return {}

    @property
    @abstractmethod
    def training_set(self) -> ClassifiedSamples:
        """The training samples."""

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Kind, sources, fingerprint and split sizes of the data, as plain values; ``counts`` tells each source's."""
        every = {**self.parts, **{f"{role} outliers": found for role, found in self.outliers.items()}}
        whole = combine_provenances(
            {
                f"{role}/{part.kind}": {
                    "kind": part.kind,
                    "source": part.source,
                    "fingerprint": part.fingerprint(),
                    "splits": {role: len(part)},
                    "notes": self._notes,
                }
                for role, found in every.items()
                for part in found
            }
        )
        counts = {role: {part.kind: len(part) for part in found} for role, found in every.items()}
        return {**whole, "counts": counts}

    def train_dataloader(self) -> DataLoader[Batch]:
        """Makes training batches; data.batch_size is divided among the processes, and a last batch is filled up."""
        sampler = self._training_sampler(len(self.training_set), drop_last=False)
        return self._loader(self.training_set, sampler, sampler.batch_size, as_it_is)

    def val_dataloader(self) -> Any:
        """Makes batches of the validation images; where there are some of no class, a list with a loader of these."""
        return self._evaluation_loaders("val", persistent=True)

    def test_dataloader(self) -> Any:
        """Makes batches of the test images; where there are some of no class, a list with a loader of these."""
        return self._evaluation_loaders(self.test_name, persistent=False)

    def _evaluation_loaders(self, role: str, persistent: bool) -> Any:
        known = self._evaluation_loader(self.parts[role], persistent)
        if not self.outliers:
            return known
        return [known, self._evaluation_loader(self.outliers[role], persistent)]

    def _evaluation_loader(self, parts: Sequence[ClassifiedPart], persistent: bool) -> DataLoader[Batch]:
        dataset = ClassifiedSamples(parts, cache_megabytes=self.config.cache_megabytes)
        sampler = self._evaluation_sampler(len(dataset))
        return self._loader(dataset, sampler, self.config.eval_batch_size, as_it_is, persistent)
