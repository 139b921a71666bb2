"""Datasets as the trainer sees them: augmented squares for training, whole images for evaluation.

A sample depends on the seed, the epoch and its index alone: each draws from a generator of its own, so that
neither the number of workers or processes nor an interruption changes it.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from retable.detection.tiles import tile_windows
from retable.detection.transforms import Augmentation, Image, Window, apply_warp, draw_warp, plain_warp, to_tensor
from retable.errors import ConfigError, DataError
from retable.papers.larsd.datasets.base import Target

Sample = dict[str, Any]


class ShipImages(Protocol):
    """What a dataset of images with rotated boxes offers; published datasets and generated scenes alike."""

    classes: list[str]
    image_ids: list[str]

    def __len__(self) -> int: ...

    def load(self, index: int) -> tuple[Image, Target]:
        """Returns an image, uint8 (H, W, 3) RGB, and its target."""

    def image_size(self, index: int) -> tuple[int, int]:
        """Returns height and width without reading the image."""


class ScaledImages:
    """Images at the scale at which a network sees them, with a cache of bounded size.

    Args:
        dataset: where images come from.
        resize: factor by which each image and its boxes are scaled.
        max_side: images whose longer side is then still larger are shrunk to it; None keeps them.
        cache_megabytes: memory for decoded and scaled images, of each process that reads. Images beyond it
            are read
            again each time; 0 keeps none. Loader workers share the amount among them.

    Raises:
        ConfigError: a factor, side or amount that makes no sense.
    """

    def __init__(
        self,
        dataset: ShipImages,
        resize: float = 1.0,
        max_side: int | None = None,
        cache_megabytes: float = 0,
    ) -> None:
        if not resize > 0:
            raise ConfigError(f"data.resize={resize}: must be positive")
        if max_side is not None and max_side < 1:
            raise ConfigError(f"data.max_side={max_side}: must be 1 or more, or null")
        if cache_megabytes < 0:
            raise ConfigError(f"data.cache_megabytes={cache_megabytes}: must be 0 or more")
        self.dataset = dataset
        self._resize = resize
        self._max_side = max_side
        self._cache_bytes = cache_megabytes * 1e6
        self._cache: dict[int, tuple[Image, Target]] = {}
        self._cached_bytes = 0

    def __len__(self) -> int:
        return len(self.dataset)

    def scaled_size(self, index: int) -> tuple[int, int]:
        """Returns height and width of the scaled image, without reading it."""
        height, width = self.dataset.image_size(index)
        scale = self._resize
        if self._max_side is not None:
            scale = min(scale, self._max_side / max(height, width))
        return max(1, round(height * scale)), max(1, round(width * scale))

    def target(self, index: int) -> Target:
        """Returns the scaled target of an image; where the dataset can tell it, without reading the image."""
        read_target = getattr(self.dataset, "target", None)
        target: Target = self.dataset.load(index)[1] if read_target is None else read_target(index)
        return _scaled_target(target, self.dataset.image_size(index), self.scaled_size(index))

    def load(self, index: int) -> tuple[Image, Target]:
        """Returns a scaled image, uint8 (H, W, 3), and its target, both not to be changed by the caller.

        Raises:
            DataError: the image cannot be read.
        """
        if index in self._cache:
            return self._cache[index]
        entry = self._load_scaled(index)
        size = entry[0].nbytes
        worker = get_worker_info()
        limit = self._cache_bytes / (1 if worker is None else worker.num_workers)
        # A full cache keeps what it has: in a shuffled epoch every image is equally likely to come next, and
        # replacing the oldest would only cost copies.
        if self._cached_bytes + size <= limit:
            self._cache[index] = entry
            self._cached_bytes += size
        return entry

    def _load_scaled(self, index: int) -> tuple[Image, Target]:
        image, target = self.dataset.load(index)
        height, width = self.scaled_size(index)
        if (height, width) == image.shape[:2]:
            return image, target
        shrinks = height < image.shape[0]
        scaled = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        return np.asarray(scaled, dtype=np.uint8), _scaled_target(target, image.shape[:2], (height, width))


def _scaled_target(target: Target, size: tuple[int, ...], scaled_size: tuple[int, int]) -> Target:
    # Rounding to whole pixels makes the two factors differ by less than a pixel over the image; centres follow each
    # axis, sizes the mean of both, so that a box stays a rectangle.
    if tuple(size) == tuple(scaled_size):
        return target
    factors = np.array([scaled_size[1] / size[1], scaled_size[0] / size[0]])
    boxes = target["boxes"].astype(np.float64)
    boxes[:, :2] *= factors
    boxes[:, 2:4] *= np.sqrt(factors.prod())
    return {**target, "boxes": boxes.astype(np.float32)}


class ShipTrainingSet(Dataset[Sample]):
    """Augmented square samples.

    Images larger than the square are cut into overlapping tiles, and each tile is a sample; what an
    augmentation turns into view beyond a tile's border is the image's real content.

    Args:
        dataset: where images come from.
        size: side of a sample in pixels.
        augment: what varies; None takes each tile as it is.
        seed: what augmentation depends on besides epoch and index.
        overlap: least overlap of tiles in pixels; None: a quarter of the size.
        resize: as of `ScaledImages`.
        max_side: as of `ScaledImages`.
        cache_megabytes: as of `ScaledImages`.
        empty_tiles: share of the tiles without any object that are kept, evenly spread; large images of few ships
            are mostly empty sea, and most of a training would be spent on it.

    Raises:
        ConfigError: an option that makes no sense.
    """

    def __init__(
        self,
        dataset: ShipImages,
        size: int,
        augment: Augmentation | None = None,
        seed: int = 0,
        *,
        overlap: int | None = None,
        resize: float = 1.0,
        max_side: int | None = None,
        cache_megabytes: float = 0,
        empty_tiles: float = 1.0,
    ) -> None:
        if not 0 <= empty_tiles <= 1:
            raise ConfigError(f"data.empty_tiles={empty_tiles}: must be from 0 to 1")
        if size < 1:
            raise ConfigError(f"data.image_size={size}: must be 1 or more")
        self.images = ScaledImages(dataset, resize, max_side, cache_megabytes)
        self.size = size
        self.seed = seed
        self._augmentation = augment
        self._tiles: list[tuple[int, Window]] = [
            (index, window)
            for index in range(len(dataset))
            for window in tile_windows(*self.images.scaled_size(index), size, size // 4 if overlap is None else overlap)
        ]
        if empty_tiles < 1:
            self._tiles = self._without_most_empty(empty_tiles)

    def _without_most_empty(self, share: float) -> list[tuple[int, Window]]:
        kept, empty = [], 0
        for index, window in self._tiles:
            centres = self.images.target(index)["boxes"][:, :2] - (window.x, window.y)
            if ((centres >= 0) & (centres < (window.width, window.height))).all(axis=1).any():
                kept.append((index, window))
                continue
            empty += 1
            if int(empty * share) > int((empty - 1) * share):
                kept.append((index, window))
        if not kept:
            raise ConfigError("data.empty_tiles: no tile is left; the training images hold no objects")
        return kept

    def __len__(self) -> int:
        return len(self._tiles)

    def __getitem__(self, key: tuple[int, int] | int) -> Sample:
        """Makes a sample.

        Args:
            key: (epoch, index) as of `EpochSampler`; a bare index means epoch 0.

        Returns:
            image float32 (3, size, size) in [0, 1], boxes float32 (N, 5), labels int64 (N,), difficult bool
            (N,), image_id.

        Raises:
            DataError: the image cannot be read.
        """
        epoch, index = (0, key) if isinstance(key, int) else key
        image_index, window = self._tiles[index]
        image, target = self.images.load(image_index)
        if self._augmentation is None:
            warp = plain_warp(window)
        else:
            generator = np.random.default_rng([self.seed, epoch, index])
            warp = draw_warp(self._augmentation, window, self.size, generator)
        square, warped = apply_warp(image, target, warp, self.size, self._augmentation or Augmentation())
        return {
            "image": to_tensor(square),
            **target_tensors(warped),
            "image_id": self.images.dataset.image_ids[image_index],
        }


class ShipEvaluationSet(Dataset[Sample]):
    """Whole images at the network's scale, for validation and test.

    Boxes are scaled with the image: average precision does not change, and detections need no way back.
    Images larger than the training squares are for `retable.detection.tiles.detect_in_tiles`.

    Args:
        dataset: where images come from.
        resize: as of `ScaledImages`, the same as in training.
        max_side: as of `ScaledImages`, the same as in training.
        cache_megabytes: as of `ScaledImages`.
    """

    def __init__(
        self,
        dataset: ShipImages,
        *,
        resize: float = 1.0,
        max_side: int | None = None,
        cache_megabytes: float = 0,
    ) -> None:
        self.images = ScaledImages(dataset, resize, max_side, cache_megabytes)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Sample:
        """Reads an image.

        Returns:
            image float32 (3, H, W) in [0, 1], boxes float32 (N, 5), labels int64 (N,), difficult bool (N,),
            image_id, index, and scale: the factor by which image and boxes were scaled.

        Raises:
            DataError: the image cannot be read.
        """
        image, target = self.images.load(index)
        return {
            "image": to_tensor(image),
            **target_tensors(target),
            "image_id": self.images.dataset.image_ids[index],
            "index": index,
            "scale": max(image.shape[:2]) / max(self.images.dataset.image_size(index)),
        }


def target_tensors(target: Target) -> dict[str, Tensor]:
    """Copies a target of arrays to tensors: boxes float32 (N, 5), labels int64 (N,), difficult bool (N,)."""
    return {key: torch.tensor(target[key]) for key in ("boxes", "labels", "difficult")}


def collate_training(samples: Sequence[Sample]) -> dict[str, Any]:
    """Collects training samples into a batch.

    Args:
        samples: what `ShipTrainingSet` returned.

    Returns:
        images float32 (B, 3, S, S); targets, a list of B dictionaries boxes, labels, difficult; image_ids, a
        list.
    """
    return {
        "images": torch.stack([sample["image"] for sample in samples]),
        "targets": [{key: sample[key] for key in ("boxes", "labels", "difficult")} for sample in samples],
        "image_ids": [sample["image_id"] for sample in samples],
    }


def collate_evaluation(samples: Sequence[Sample]) -> dict[str, Any]:
    """Collects whole images, whose sizes differ, into a batch.

    Args:
        samples: what `ShipEvaluationSet` returned.

    Returns:
        images, a list of B tensors float32 (3, H, W); targets and image_ids as of `collate_training`;
        indices, a list of the images' positions in the dataset; scales, a list.
    """
    return {
        "images": [sample["image"] for sample in samples],
        "targets": [{key: sample[key] for key in ("boxes", "labels", "difficult")} for sample in samples],
        "image_ids": [sample["image_id"] for sample in samples],
        "indices": [sample["index"] for sample in samples],
        "scales": [sample["scale"] for sample in samples],
    }


def training_boxes(dataset: ShipImages, resize: float = 1.0, max_side: int | None = None) -> npt.NDArray[np.float32]:
    """Collects the boxes of a dataset at the scale of training, for the anchors' k-means.

    Args:
        dataset: a dataset; where it has `target(index)`, images are not read.
        resize: as of `ScaledImages`.
        max_side: as of `ScaledImages`.

    Returns:
        float32 (N, 5), the boxes of all images that are not difficult.

    Raises:
        DataError: there is no such box.
    """
    images = ScaledImages(dataset, resize, max_side)
    targets = (images.target(index) for index in range(len(dataset)))
    collected = [target["boxes"][~target["difficult"]] for target in targets]
    boxes = np.concatenate(collected).astype(np.float32)
    if not len(boxes):
        raise DataError("the training images hold no objects (or difficult ones only); check the dataset")
    return boxes
