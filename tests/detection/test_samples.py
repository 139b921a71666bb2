import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from retable.data.module import initialise_worker
from retable.data.sampling import EpochSampler
from retable.detection.samples import (
    ScaledImages,
    ShipEvaluationSet,
    ShipTrainingSet,
    collate_evaluation,
    collate_training,
    training_boxes,
)
from retable.detection.transforms import Augmentation
from retable.errors import ConfigError, DataError


class Images:
    """Images of given sizes with one box each at the centre; counts how often they are read."""

    def __init__(self, *sizes):
        self.sizes = sizes
        self.classes = ["ship"]
        self.image_ids = [f"image{index}" for index in range(len(sizes))]
        self.reads = 0

    def __len__(self):
        return len(self.sizes)

    def image_size(self, index):
        return self.sizes[index]

    def load(self, index):
        self.reads += 1
        height, width = self.sizes[index]
        image = np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)
        return image, {
            "boxes": np.array([[width / 2, height / 2, 12, 4, 0.2]], np.float32),
            "labels": np.array([0]),
            "difficult": np.array([index % 2 == 1]),
        }


def equal(first, second):
    return all(
        torch.equal(first[key], second[key]) if isinstance(first[key], torch.Tensor) else first[key] == second[key]
        for key in first
    )


def test_sample_shapes_and_types():
    sample = ShipTrainingSet(Images((40, 50)), 64, Augmentation(), 0)[3, 0]
    assert sample["image"].shape == (3, 64, 64)
    assert sample["image"].dtype == torch.float32
    assert 0 <= sample["image"].min() <= sample["image"].max() <= 1
    assert sample["boxes"].shape == (1, 5)
    assert sample["boxes"].dtype == torch.float32
    assert sample["labels"].dtype == torch.int64
    assert sample["difficult"].dtype == torch.bool
    assert sample["image_id"] == "image0"


def test_augmentation_depends_on_seed_epoch_and_index_alone():
    images = Images((40, 50), (50, 40), (60, 60))
    first = ShipTrainingSet(images, 48, Augmentation(), 7, cache_megabytes=1)
    for key in ((0, 1), (0, 2), (5, 0)):  # what was asked for before does not matter
        first[key]
    second = ShipTrainingSet(images, 48, Augmentation(), 7)
    assert equal(first[5, 1], second[5, 1])
    others = [ShipTrainingSet(images, 48, Augmentation(), 8)[5, 1], second[6, 1], second[5, 2]]
    assert not any(torch.equal(second[5, 1]["image"], other["image"]) for other in others)
    assert equal(second[0, 1], second[1])  # a bare index is epoch 0


def test_workers_make_the_same_samples():
    images = Images(*[(30 + index, 40) for index in range(6)])
    batches = []
    for workers in (0, 2):
        dataset = ShipTrainingSet(images, 32, Augmentation(), 1, cache_megabytes=1)
        sampler = EpochSampler(len(dataset), 2, seed=1)
        sampler.set_epoch(3)
        loader = DataLoader(
            dataset,
            2,
            sampler=sampler,
            num_workers=workers,
            collate_fn=collate_training,
            worker_init_fn=initialise_worker,
        )
        batches.append(list(loader))
    assert [batch["image_ids"] for batch in batches[0]] == [batch["image_ids"] for batch in batches[1]]
    for first, second in zip(*batches, strict=True):
        assert torch.equal(first["images"], second["images"])
        assert all(equal(a, b) for a, b in zip(first["targets"], second["targets"], strict=True))


def test_large_images_become_tiles_that_hold_every_ship():
    dataset = ShipTrainingSet(Images((40, 40), (100, 170)), 64, overlap=16)
    assert len(dataset) == 1 + 2 * 4
    whole = [sample for sample in (dataset[0, i] for i in range(len(dataset))) if sample["image_id"] == "image1"]
    assert sum(len(sample["boxes"]) for sample in whole) >= 1
    image, _ = dataset.images.load(1)
    restored = {tuple(sample["image"].shape) for sample in whole}
    assert restored == {(3, 64, 64)}
    torch.testing.assert_close(
        whole[0]["image"], torch.from_numpy(image[:64, :64].transpose(2, 0, 1).astype(np.float32) / 255)
    )


def test_rotated_view_shows_what_lies_beyond_the_tile():
    # one white tile border: with a rotation, pixels of the neighbouring tile come into view instead of the mean colour
    images = Images((64, 128))
    white = np.full((64, 128, 3), 255, np.uint8)
    white[::2] = 0
    images.load = lambda _: (
        white,
        {"boxes": np.zeros((0, 5), np.float32), "labels": np.zeros(0, np.int64), "difficult": np.zeros(0, bool)},
    )
    dataset = ShipTrainingSet(images, 64, Augmentation(scale=(1, 1), rotation_degrees=45), 0, overlap=0)
    flat = [float((sample["image"] == 128 / 255).float().mean()) for sample in (dataset[e, 0] for e in range(10))]
    assert max(flat) < 0.35  # one side only is beyond the image


def test_scaling_of_images_and_boxes():
    images = Images((100, 200), (50, 40))
    scaled = ScaledImages(images, resize=0.5)
    image, target = scaled.load(0)
    assert image.shape == (50, 100, 3) == (*scaled.scaled_size(0), 3)
    np.testing.assert_allclose(target["boxes"], [[50, 25, 6, 2, 0.2]], rtol=1e-6)
    limited = ScaledImages(images, max_side=80)
    assert [limited.scaled_size(index) for index in range(2)] == [(40, 80), (50, 40)]
    np.testing.assert_allclose(limited.load(0)[1]["boxes"], [[40, 20, 4.8, 1.6, 0.2]], rtol=1e-6)
    assert limited.load(1)[0].shape == (50, 40, 3)
    enlarged = ScaledImages(Images((10, 10)), resize=2).load(0)
    assert enlarged[0].shape == (20, 20, 3)


def test_scaled_pixels_match_scaled_boxes():
    image = np.zeros((120, 160, 3), np.uint8)
    image[50:70, 60:100] = 255
    images = Images((120, 160))
    images.load = lambda _: (image, {"boxes": np.array([[80, 60, 40, 20, 0]], np.float32)})
    small, target = ScaledImages(images, resize=0.37).load(0)
    weights = small[..., 0] / small[..., 0].sum()
    ys, xs = np.mgrid[: small.shape[0], : small.shape[1]] + 0.5
    np.testing.assert_allclose([(xs * weights).sum(), (ys * weights).sum()], target["boxes"][0, :2], atol=0.05)


def test_cache_is_bounded_and_counts_bytes():
    images = Images((100, 100), (100, 100), (100, 100))  # 30,000 bytes each
    scaled = ScaledImages(images, cache_megabytes=0.065)
    for _ in range(3):
        for index in range(3):
            scaled.load(index)
    assert images.reads == 3 + 2  # two are kept, the third is read each time
    without = Images((10, 10))
    twice = ScaledImages(without)
    twice.load(0)
    twice.load(0)
    assert without.reads == 2


def test_samples_do_not_change_the_cache():
    dataset = ShipTrainingSet(Images((64, 64)), 64, None, cache_megabytes=1)
    first = dataset[0, 0]
    first["boxes"].zero_()
    first["difficult"].fill_(True)
    first["labels"].fill_(9)
    assert float(dataset[0, 0]["boxes"].abs().sum()) > 0
    evaluation = ShipEvaluationSet(Images((64, 64)), cache_megabytes=1)
    evaluation[0]["boxes"].zero_()
    assert float(evaluation[0]["boxes"].abs().sum()) > 0


def test_evaluation_keeps_whole_images_of_different_sizes():
    dataset = ShipEvaluationSet(Images((40, 50), (100, 60)), max_side=80)
    batch = collate_evaluation([dataset[0], dataset[1]])
    assert [tuple(image.shape) for image in batch["images"]] == [(3, 40, 50), (3, 80, 48)]
    assert batch["indices"] == [0, 1]
    assert batch["image_ids"] == ["image0", "image1"]
    assert batch["scales"] == [1.0, 0.8]
    assert batch["targets"][1]["difficult"].tolist() == [True]
    np.testing.assert_allclose(batch["targets"][1]["boxes"][0, :4], [24, 40, 9.6, 3.2], rtol=1e-5)


def test_collate_training():
    dataset = ShipTrainingSet(Images((40, 50), (64, 64)), 64)
    batch = collate_training([dataset[0, 0], dataset[0, 1]])
    assert batch["images"].shape == (2, 3, 64, 64)
    assert sorted(batch["targets"][0]) == ["boxes", "difficult", "labels"]
    assert batch["image_ids"] == ["image0", "image1"]


def test_training_boxes_are_scaled_and_leave_out_difficult_ones():
    boxes = training_boxes(Images((100, 200), (100, 200)), max_side=100)
    np.testing.assert_allclose(boxes, [[50, 25, 6, 2, 0.2]], rtol=1e-6)

    class Empty(Images):
        def target(self, index):
            return {"boxes": np.zeros((0, 5), np.float32), "difficult": np.zeros(0, bool)}

    with pytest.raises(DataError, match="no objects"):
        training_boxes(Empty((10, 10)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resize": 0}, "data.resize"),
        ({"max_side": 0}, "data.max_side"),
        ({"cache_megabytes": -1}, "data.cache_megabytes"),
        ({"size": 0}, "data.image_size"),
        ({"overlap": 64}, "overlap"),
    ],
)
def test_impossible_settings_are_named(options, message):
    with pytest.raises(ConfigError, match=message):
        ShipTrainingSet(Images((10, 10)), **{"size": 64, "overlap": 8, **options})


def test_workers_leave_opencv_single_threaded():
    before = cv2.getNumThreads()
    try:
        initialise_worker(0)
        assert cv2.getNumThreads() <= 1
    finally:
        cv2.setNumThreads(before)


def test_most_empty_tiles_can_be_left_out() -> None:
    class OneShip:
        classes = ("ship",)
        image_ids = ("a",)

        def __len__(self) -> int:
            return 1

        def image_size(self, index: int) -> tuple[int, int]:
            return 160, 160

        def target(self, index: int) -> dict[str, np.ndarray]:
            return {
                "boxes": np.array([[10.0, 10.0, 12.0, 4.0, 0.0]], dtype=np.float32),
                "labels": np.zeros(1, dtype=np.int64),
                "difficult": np.zeros(1, dtype=np.bool_),
            }

        def load(self, index: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            return np.zeros((160, 160, 3), dtype=np.uint8), self.target(index)

    sizes = {share: len(ShipTrainingSet(OneShip(), 32, overlap=0, empty_tiles=share)) for share in (0.0, 0.25, 1.0)}
    assert sizes == {0.0: 1, 0.25: 1 + 6, 1.0: 25}
    sample = ShipTrainingSet(OneShip(), 32, overlap=0, empty_tiles=0.0)[(0, 0)]
    assert len(sample["boxes"]) == 1
    with pytest.raises(ConfigError, match="empty_tiles"):
        ShipTrainingSet(OneShip(), 32, empty_tiles=1.5)
