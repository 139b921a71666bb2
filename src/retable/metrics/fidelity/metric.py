"""The scores of a generator: all its samples against all real images, the number of both told with them.

The distance of a handful of images, as some papers print it, is far from that of many, even where they are real
(`fid_n5_real`), and no such number can be compared with one of another count. Beside the distance of all samples
therefore stand that of five, and its floor: that of two halves of the real images.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from retable.errors import CheckpointError, DataError, DivergenceError, RetableError
from retable.metrics.fidelity.extractors import Extractor, Features, as_uint8
from retable.metrics.fidelity.frechet import FeatureMoments, frechet_distance
from retable.metrics.fidelity.schema import FidelityConfig
from retable.metrics.fidelity.scores import inception_score, kernel_distance, precision_recall

log = logging.getLogger(__name__)

FEW = 5  # images, about as many as such papers have
_GROUPS_OF_FEW = 10
_BLOCKS = 20  # of the real images, in file order: neighbours in a folder are often views of one car

_SCORES = {
    "fid": ("squared distance", "lower"),
    "is": ("score", "higher"),
    "kid": ("squared distance", "lower"),
    "precision": ("fraction", "higher"),
    "recall": ("fraction", "higher"),
}
_FLOORS = dict.fromkeys(("fid{}_halves", "fid{}_n5", "fid{}_n5_real"), ("squared distance", "none"))


class FidelityMetric:
    """FID, IS, KID, precision and recall of generated images, over all processes.

    Nothing is built before it is needed, so that a model that only predicts asks for no weights. One object scores one
    run: `begin`, then `update` for each batch, then `compute`.

    Args:
        config: What extracts the features.
    """

    def __init__(self, config: FidelityConfig) -> None:
        self._config = config
        self._data: Any = None
        self._parts: list[tuple[Tensor, Features]] = []
        self._real: _Real | None = None
        self._device = torch.device("cpu")

    @cached_property
    def extractor(self) -> Extractor:
        """What extracts the features.

        Raises:
            CheckpointError: Its weights are missing or wrong.
        """
        extractor: Extractor = self._config.extractor(weights=self._config.weights)
        return extractor

    @property
    def suffix(self) -> str:
        """What the names of the scores end with: nothing for those of the published Inception network."""
        return self.extractor.suffix

    @property
    def monitor_name(self) -> str:
        """The score that says which epoch is best: ``fid`` or ``fid_domain``."""
        return f"fid{self.suffix}"

    @property
    def origin(self) -> str:
        """The extractor and the sha256 of its weights, for the record."""
        return self.extractor.origin

    @property
    def info(self) -> dict[str, tuple[str, str]]:
        """Unit and direction of each number that `compute` returns."""
        found = {f"{name}{self.suffix}": about for name, about in _SCORES.items()}
        found.update({name.format(self.suffix): about for name, about in _FLOORS.items()})
        return {**found, "samples": ("images", "none"), "real_images": ("images", "none")}

    def begin(self, data: Any) -> None:
        """Starts a new count.

        Args:
            data: Has ``images``, uint8 (M, 3, S, S): all real images. Their features are computed once for one object.

        Raises:
            CheckpointError: The processes have different extractors.
        """
        if data is not self._data:
            self._data, self._real = data, None
        self._parts = []
        _check_alike(self.origin)

    def update(self, images: Tensor, indices: Tensor) -> None:
        """Adds samples.

        Args:
            images: (B, 3, S, S) in [0, 1], float, on any device.
            indices: (B,) whole numbers that say which sample each one is; over all processes each one once.

        Raises:
            DivergenceError: An image is not finite.
        """
        if not bool(images.isfinite().all()):
            raise DivergenceError(
                "the generator makes images that are not finite: try a lower model.lr or model.gradient_clip"
            )
        self._device = images.device
        self._parts.append((indices.detach().cpu(), self.extractor(as_uint8(images.detach()))))

    def compute(self) -> dict[str, float]:
        """Scores what was added, over all processes; all of them get the same numbers.

        Returns:
            ``fid``, ``is``, ``kid``, ``precision``, ``recall`` of N samples against all M real images; ``samples`` (N)
            and ``real_images`` (M); ``fid_halves``, of about M / 2 real images against the others; ``fid_n5``, of only
            five samples against the real images, and ``fid_n5_real``, of five real images, both the mean over up to
            ten fives. All but the counts bear the extractor's suffix after their first word: ``fid_domain_n5``.

        Raises:
            DataError: There are fewer than two samples or real images.
        """
        indices, features = _gather(self._parts)
        self._parts = []
        result: dict[str, float] | RetableError
        if _rank() == 0:
            try:
                result = self._scores(indices, features)
            except RetableError as error:  # the other processes wait for word
                result = error
        else:
            result = {}
        result = _from_first(result)
        if isinstance(result, RetableError):
            raise result
        return result

    def _scores(self, indices: Tensor, found: Features) -> dict[str, float]:
        fake = _in_order(indices, found)
        if self._real is None:
            self._real = _Real(self.extractor(as_uint8(self._data.images), self._device))
            log.info(
                "scores of %d samples against %d real images by %s; two halves of the real images are %s = %.4g apart",
                len(fake.features), len(self._real.found.features), self.origin, self.monitor_name, self._real.halves,
            )  # fmt: skip
        real = self._real
        features, real_features = fake.features, real.found.features
        distance = frechet_distance(FeatureMoments(features, "samples"), real.moments)
        precision, recall = precision_recall(features, real_features)
        scores = {
            "fid{}": distance,
            "is{}": inception_score(fake.logits),
            "kid{}": kernel_distance(features, real_features),
            "precision{}": precision,
            "recall{}": recall,
            "fid{}_halves": real.halves,
            "fid{}_n5": real.distance_of_few(features),
            "fid{}_n5_real": real.few,
        }
        counts = {"samples": float(len(features)), "real_images": float(len(real_features))}
        return {name.format(self.suffix): value for name, value in scores.items()} | counts


class _Real:
    """What is computed of the real images once."""

    def __init__(self, found: Features) -> None:
        self.found = found
        self.moments = FeatureMoments(found.features, "real images")

    @cached_property
    def halves(self) -> float:
        """Distance between two halves: alternate blocks in file order."""
        count = len(self.found.features)
        blocks = torch.arange(count) * min(_BLOCKS, count) // count
        halves = [self.found.features[blocks % 2 == side] for side in (0, 1)]
        if min(map(len, halves)) < 2:
            return float("nan")
        first, second = (FeatureMoments(half, "real images") for half in halves)
        return frechet_distance(first, second)

    @cached_property
    def few(self) -> float:
        """Distance of five of the real images to all of them."""
        return self.distance_of_few(self.found.features)

    def distance_of_few(self, features: Tensor) -> float:
        """Computes the mean distance of five images, spread over the given ones, to all real images; NaN with fewer."""
        groups = min(_GROUPS_OF_FEW, len(features) // FEW)
        places = torch.linspace(0, len(features) - 1, groups * FEW).long().reshape(FEW, groups).T
        distances = [
            frechet_distance(FeatureMoments(features[group], "samples"), self.moments) for group in places.unbind()
        ]
        return sum(distances) / groups if groups else float("nan")


def _in_order(indices: Tensor, found: Features) -> Features:
    """Sorts by index and leaves out what came twice, so that the numbers depend on neither batches nor processes."""
    unique, inverse = torch.unique(indices, return_inverse=True)
    first = torch.full((len(unique),), len(indices)).scatter_reduce(0, inverse, torch.arange(len(indices)), "amin")
    return Features(found.features[first], found.logits[first])


def _gather(parts: Sequence[tuple[Tensor, Features]]) -> tuple[Tensor, Features]:
    """Joins the parts of all processes; the later ones' come after the first one's."""
    mine = [(indices, *found) for indices, found in parts]
    gathered = [part for process in _everyones(mine) for part in process]
    if not gathered:
        raise DataError("there are no samples to score: the validation has no batches")
    indices, features, logits = (torch.cat(column) for column in zip(*gathered, strict=True))
    return indices, Features(features, logits)


def _check_alike(origin: str) -> None:
    origins = sorted(set(_everyones(origin)))
    if len(origins) > 1:
        raise CheckpointError(
            f"the processes score by different extractors ({', '.join(origins)}): give "
            "model.fidelity.weights=FILE, or choose another extractor with model/fidelity=NAME"
        )


def _everyones(value: Any) -> list[Any]:
    """What each process has, in their order."""
    if _world_size() == 1:
        return [value]
    values: list[Any] = [None] * _world_size()
    dist.all_gather_object(values, value)
    return values


def _from_first(value: Any) -> Any:
    """Hands what the first process has to all."""
    if _world_size() == 1:
        return value
    holder = [value]
    dist.broadcast_object_list(holder, src=0)
    return holder[0]


def _world_size() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _rank() -> int:
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0
