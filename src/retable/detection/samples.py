"""Datasets as the trainer sees them: augmented squares for training, whole images for evaluation.

A sample depends on the seed, the epoch and its index alone: each draws from a generator of its own, so that neither the
number of workers or processes nor an interruption changes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from retable.boxes import format_of
from retable.detection.schema import DetectionDataConfig
from retable.detection.tiles import tile_windows
from retable.detection.transforms import Image, Target, Window, apply_warp, draw_warp, plain_warp, resized, to_tensor
from retable.errors import ConfigError, DataError
from retable.synthetic.camera import retake
from retable.synthetic.rng import RandomStream

Sample = dict[str, Any]
_TARGET = ("boxes", "labels", "difficult")


class DetectionImages(Protocol):
    """What a dataset of images with boxes offers; published datasets and generated scenes alike."""

    classes: list[str]
    image_ids: list[str]

    def __len__(self) -> int: ...

    def load(self, index: int) -> tuple[Image, Target]:
        """Returns an image, uint8 (H, W, 3) RGB, and its target."""

    def target(self, index: int) -> Target:
        """Returns the target of an image without reading the image."""

    def image_size(self, index: int) -> tuple[int, int]:
        """Returns height and width in pixels without reading the image."""


class ScaledImages:
    """Images at the scale at which a network sees them, with a cache of bounded size."""

    def __init__(self, config: DetectionDataConfig, dataset: DetectionImages) -> None:
        self.config, self.dataset = config, dataset
        self._cache: dict[int, tuple[Image, Target]] = {}
        self._cached_bytes = 0

    def __len__(self) -> int:
        return len(self.dataset)

    def scaled_size(self, index: int) -> tuple[int, int]:
        """Returns height and width of the scaled image, without reading it."""
        return self.config.size(*self.dataset.image_size(index))

    def target(self, index: int) -> Target:
        """Returns the scaled target of an image, without reading the image."""
        return self._scaled(self.dataset.target(index), index)

    def load(self, index: int) -> tuple[Image, Target]:
        """Returns a scaled image, uint8 (H, W, 3), and its target, both not to be changed by the caller.

        Raises:
            DataError: The image cannot be read.
        """
        if index in self._cache:
            return self._cache[index]
        image, target = self.dataset.load(index)
        entry = resized(image, *self.scaled_size(index)), self._scaled(target, index)
        size = entry[0].nbytes
        worker = get_worker_info()
        limit = self.config.cache_megabytes * 1e6 / (1 if worker is None else worker.num_workers)
        # A full cache keeps what it has: in a shuffled epoch every image is equally likely to come next, and
        # replacing the oldest would only cost copies.
        if self._cached_bytes + size <= limit:
            self._cache[index] = entry
            self._cached_bytes += size
        return entry

    def _scaled(self, target: Target, index: int) -> Target:
        (height, width), (new_height, new_width) = self.dataset.image_size(index), self.scaled_size(index)
        if (height, width) == (new_height, new_width):
            return target
        # rounding to whole pixels makes the two factors differ by less than a pixel over the image
        boxes = torch.from_numpy(target["boxes"])
        factors = new_width / width, new_height / height
        scaled = {**target, "boxes": format_of(boxes).scaled(boxes, *factors).numpy().astype(np.float32)}
        if "corners" in target:
            scaled["corners"] = target["corners"] * np.array(factors, np.float32)
        return scaled


class TrainingSamples(Dataset[Sample]):
    """Augmented square samples.

    Images larger than the square are cut into overlapping tiles, and each tile is a sample, or the whole image is one
    (``data.tiles``); what an augmentation turns into view beyond a tile's border is the image's real content. Without
    augmentation each tile is taken as it is.

    Raises:
        ConfigError: The tiles cannot overlap by so much, or none is left.
    """

    def __init__(self, config: DetectionDataConfig, dataset: DetectionImages, seed: int = 0) -> None:
        self.config, self.seed = config, seed
        self.images = ScaledImages(config, dataset)
        self._tiles: list[tuple[int, Window]] = [
            (index, window)
            for index in range(len(dataset))
            for window in self._windows(*self.images.scaled_size(index))
        ]
        if config.empty_tiles < 1:
            self._tiles = self._without_most_empty(config.empty_tiles)

    def _windows(self, height: int, width: int) -> list[Window]:
        config = self.config
        if config.tiles:
            return tile_windows(height, width, config.image_size, config.tile_overlap)
        return [Window(0, 0, width, height)]

    def _without_most_empty(self, share: float) -> list[tuple[int, Window]]:
        kept, empty = [], 0
        for index, window in self._tiles:
            boxes = torch.from_numpy(self.images.target(index)["boxes"])
            centres = format_of(boxes).centres(boxes).numpy() - (window.x, window.y)
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
            image float32 (3, S, S) in [0, 1], boxes float32 (N, 5) or (N, 4), labels int64 (N,), difficult bool (N,),
            image_id, and where they are known corners float32 (N, 4, 2).

        Raises:
            DataError: The image cannot be read.
        """
        epoch, index = (0, key) if isinstance(key, int) else key
        image_index, window = self._tiles[index]
        image, target = self.images.load(image_index)
        size = self.config.image_size
        if self.config.augment.enabled:
            generator = np.random.default_rng([self.seed, epoch, index])
            warp = draw_warp(self.config.augment, window, size, generator)
        else:
            warp = plain_warp(window)
        seen, target = apply_warp(image, target, warp, size)
        if self.config.augment.enabled and self.config.augment.camera:
            seen = retake(seen, RandomStream(self.seed, epoch, index), self.config.augment.camera)
        return _sample(seen, target, self.images.dataset.image_ids[image_index])


class EvaluationSamples(Dataset[Sample]):
    """Whole images at the network's scale, for validation and test.

    Boxes are scaled with the image: average precision does not change, and detections need no way back. Images larger
    than the training squares are for `retable.detection.tiles.detect_in_tiles`.
    """

    def __init__(self, config: DetectionDataConfig, dataset: DetectionImages) -> None:
        self.images = ScaledImages(config, dataset)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Sample:
        """Reads an image.

        Returns:
            What a training sample has, the image float32 (3, H, W) of any size, and index.

        Raises:
            DataError: The image cannot be read.
        """
        return {**_sample(*self.images.load(index), self.images.dataset.image_ids[index]), "index": index}


def _sample(image: Image, target: Target, image_id: str) -> Sample:
    """Copies an image and its target to tensors."""
    return {
        "image": to_tensor(image),
        **{key: torch.tensor(value) for key, value in target.items()},
        "image_id": image_id,
    }


def collate_training(samples: Sequence[Sample]) -> dict[str, Any]:
    """Collects what `TrainingSamples` returned into a batch.

    Returns:
        images float32 (B, 3, S, S); targets, a list of B dictionaries boxes, labels, difficult and, where those of an
        image are known, corners; image_ids, a list.
    """
    return {
        "images": torch.stack([sample["image"] for sample in samples]),
        "targets": [_target(sample) for sample in samples],
        "image_ids": [sample["image_id"] for sample in samples],
    }


def collate_evaluation(samples: Sequence[Sample]) -> dict[str, Any]:
    """Collects what `EvaluationSamples` returned, images whose sizes differ, into a batch.

    Returns:
        images, a list of B tensors float32 (3, H, W); targets and image_ids as of `collate_training`; indices, a list
        of the images' positions in the dataset.
    """
    return {
        "images": [sample["image"] for sample in samples],
        "targets": [_target(sample) for sample in samples],
        "image_ids": [sample["image_id"] for sample in samples],
        "indices": [sample["index"] for sample in samples],
    }


def _target(sample: Sample) -> dict[str, Tensor]:
    return {key: sample[key] for key in (*_TARGET, "corners") if key in sample}


def training_boxes(config: DetectionDataConfig, dataset: DetectionImages) -> Tensor:
    """Collects the boxes of a dataset at the scale of training, for the anchors' k-means, without reading images.

    Returns:
        float32 (N, 5) or (N, 4), the boxes of all images that are not difficult.

    Raises:
        DataError: There is no such box.
    """
    images = ScaledImages(config, dataset)
    targets = (images.target(index) for index in range(len(dataset)))
    boxes = np.concatenate([target["boxes"][~target["difficult"]] for target in targets])
    if not len(boxes):
        raise DataError("the training images hold no objects (or difficult ones only); check the dataset")
    return torch.from_numpy(boxes.astype(np.float32))


def joined_targets(targets: Sequence[Mapping[str, Tensor]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Joins the targets of a batch.

    Returns:
        boxes (N, 4) or (N, 5), labels (N,) and difficult (N,) of all images, and (N,) the position of each one's image.
    """
    boxes, labels, difficult = (torch.cat([target[name] for target in targets]) for name in _TARGET)
    counts = torch.tensor([len(target["boxes"]) for target in targets])
    image_index = torch.repeat_interleave(torch.arange(len(targets)), counts).to(boxes.device)
    return boxes, labels, difficult, image_index
