import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from retable.data.module import initialise_worker
from retable.data.sampling import EpochSampler
from retable.detection.samples import (
    EvaluationSamples,
    ScaledImages,
    TrainingSamples,
    collate_evaluation,
    collate_training,
    training_boxes,
)
from retable.detection.schema import AugmentConfig, DetectionDataConfig
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

    def target(self, index):
        height, width = self.sizes[index]
        return {
            "boxes": np.array([[width / 2, height / 2, 12, 4, 0.2]], np.float32),
            "labels": np.array([0]),
            "difficult": np.array([index % 2 == 1]),
        }

    def load(self, index):
        self.reads += 1
        image = np.random.default_rng(index).integers(0, 256, (*self.sizes[index], 3), dtype=np.uint8)
        return image, self.target(index)


def config(size=64, augment=False, **options):
    """Options with the names of a dataset's, and few words for what these tests need most."""
    augment = augment if isinstance(augment, AugmentConfig) else AugmentConfig(enabled=augment)
    options = {"tile_overlap": size // 4, "cache_megabytes": 0, **options}
    return DetectionDataConfig(image_size=size, augment=augment, **options)


def equal(first, second):
    return all(
        torch.equal(first[key], second[key]) if isinstance(first[key], torch.Tensor) else first[key] == second[key]
        for key in first
    )


def test_sample_shapes_and_types():
    sample = TrainingSamples(config(64, True), Images((40, 50)))[3, 0]
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
    first = TrainingSamples(config(48, True, cache_megabytes=1), images, 7)
    for key in ((0, 1), (0, 2), (5, 0)):  # what was asked for before does not matter
        first[key]
    second = TrainingSamples(config(48, True), images, 7)
    assert equal(first[5, 1], second[5, 1])
    others = [TrainingSamples(config(48, True), images, 8)[5, 1], second[6, 1], second[5, 2]]
    assert not any(torch.equal(second[5, 1]["image"], other["image"]) for other in others)
    assert equal(second[0, 1], second[1])  # a bare index is epoch 0


def test_workers_make_the_same_samples():
    images = Images(*[(30 + index, 40) for index in range(6)])
    batches = []
    for workers in (0, 2):
        dataset = TrainingSamples(config(32, True, cache_megabytes=1), images, 1)
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
    dataset = TrainingSamples(config(64), Images((40, 40), (100, 170)))
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
    dataset = TrainingSamples(config(64, AugmentConfig(scale=(1, 1), rotation_degrees=45), tile_overlap=0), images)
    flat = [float((sample["image"] == 128 / 255).float().mean()) for sample in (dataset[e, 0] for e in range(10))]
    assert max(flat) < 0.35  # one side only is beyond the image


def test_scaling_of_images_and_boxes():
    images = Images((100, 200), (50, 40))
    scaled = ScaledImages(config(resize=0.5), images)
    image, target = scaled.load(0)
    assert image.shape == (50, 100, 3) == (*scaled.scaled_size(0), 3)
    np.testing.assert_allclose(target["boxes"], [[50, 25, 6, 2, 0.2]], rtol=1e-6)
    limited = ScaledImages(config(max_side=80), images)
    assert [limited.scaled_size(index) for index in range(2)] == [(40, 80), (50, 40)]
    np.testing.assert_allclose(limited.load(0)[1]["boxes"], [[40, 20, 4.8, 1.6, 0.2]], rtol=1e-6)
    assert limited.load(1)[0].shape == (50, 40, 3)
    enlarged = ScaledImages(config(resize=2), Images((10, 10))).load(0)
    assert enlarged[0].shape == (20, 20, 3)


def test_scaled_pixels_match_scaled_boxes():
    image = np.zeros((120, 160, 3), np.uint8)
    image[50:70, 60:100] = 255
    images = Images((120, 160))
    images.load = lambda _: (image, {"boxes": np.array([[80, 60, 40, 20, 0]], np.float32)})
    small, target = ScaledImages(config(resize=0.37), images).load(0)
    weights = small[..., 0] / small[..., 0].sum()
    ys, xs = np.mgrid[: small.shape[0], : small.shape[1]] + 0.5
    np.testing.assert_allclose([(xs * weights).sum(), (ys * weights).sum()], target["boxes"][0, :2], atol=0.05)


def test_cache_is_bounded_and_counts_bytes():
    images = Images((100, 100), (100, 100), (100, 100))  # 30,000 bytes each
    scaled = ScaledImages(config(cache_megabytes=0.065), images)
    for _ in range(3):
        for index in range(3):
            scaled.load(index)
    assert images.reads == 3 + 2  # two are kept, the third is read each time
    without = Images((10, 10))
    twice = ScaledImages(config(), without)
    twice.load(0)
    twice.load(0)
    assert without.reads == 2


def test_samples_do_not_change_the_cache():
    dataset = TrainingSamples(config(64, cache_megabytes=1), Images((64, 64)))
    first = dataset[0, 0]
    first["boxes"].zero_()
    first["difficult"].fill_(True)
    first["labels"].fill_(9)
    assert float(dataset[0, 0]["boxes"].abs().sum()) > 0
    evaluation = EvaluationSamples(config(cache_megabytes=1), Images((64, 64)))
    evaluation[0]["boxes"].zero_()
    assert float(evaluation[0]["boxes"].abs().sum()) > 0


def test_evaluation_keeps_whole_images_of_different_sizes():
    dataset = EvaluationSamples(config(max_side=80), Images((40, 50), (100, 60)))
    batch = collate_evaluation([dataset[0], dataset[1]])
    assert [tuple(image.shape) for image in batch["images"]] == [(3, 40, 50), (3, 80, 48)]
    assert batch["indices"] == [0, 1]
    assert batch["image_ids"] == ["image0", "image1"]
    assert batch["targets"][1]["difficult"].tolist() == [True]
    np.testing.assert_allclose(batch["targets"][1]["boxes"][0, :4], [24, 40, 9.6, 3.2], rtol=1e-5)


def test_collate_training():
    dataset = TrainingSamples(config(64), Images((40, 50), (64, 64)))
    batch = collate_training([dataset[0, 0], dataset[0, 1]])
    assert batch["images"].shape == (2, 3, 64, 64)
    assert sorted(batch["targets"][0]) == ["boxes", "difficult", "labels"]
    assert batch["image_ids"] == ["image0", "image1"]


def test_training_boxes_are_scaled_and_leave_out_difficult_ones():
    boxes = training_boxes(config(max_side=100), Images((100, 200), (100, 200)))
    np.testing.assert_allclose(boxes, [[50, 25, 6, 2, 0.2]], rtol=1e-6)

    class Empty(Images):
        def target(self, index):
            return {"boxes": np.zeros((0, 5), np.float32), "difficult": np.zeros(0, bool)}

    with pytest.raises(DataError, match="no objects"):
        training_boxes(config(), Empty((10, 10)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resize": 0}, "resize=0: must be above 0"),
        ({"max_side": 0}, "max_side=0"),
        ({"cache_megabytes": -1}, "cache_megabytes=-1"),
        ({"size": 0}, "image_size=0"),
        ({"tile_overlap": 64}, "overlap"),
        ({"empty_tiles": 1.5}, "empty_tiles=1.5"),
    ],
)
def test_impossible_settings_are_named(options, message):
    with pytest.raises(ConfigError, match=message):
        TrainingSamples(config(**options), Images((10, 10)))


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

    sizes = {
        share: len(TrainingSamples(config(32, tile_overlap=0, empty_tiles=share), OneShip()))
        for share in (0.0, 0.25, 1.0)
    }
    assert sizes == {0.0: 1, 0.25: 1 + 6, 1.0: 25}
    sample = TrainingSamples(config(32, tile_overlap=0, empty_tiles=0.0), OneShip())[(0, 0)]
    assert len(sample["boxes"]) == 1


def test_axis_aligned_boxes_are_scaled_sampled_and_collected() -> None:
    class Upright(Images):
        def target(self, index: int) -> dict[str, np.ndarray]:
            return {**super().target(index), "boxes": np.array([[10, 20, 30, 26]], np.float32)}

    images = Upright((100, 200), (60, 60))
    halves = config(32, resize=0.5, empty_tiles=0.0)
    np.testing.assert_allclose(ScaledImages(halves, images).target(0)["boxes"], [[5, 10, 15, 13]])
    (sample,) = [sample for sample in TrainingSamples(halves, images) if sample["image_id"] == "image0"]
    assert sample["boxes"].tolist() == [[5, 10, 15, 13]]
    assert collate_evaluation([EvaluationSamples(halves, images)[0]])["targets"][0]["boxes"].shape == (1, 4)
    assert training_boxes(halves, images).tolist() == [[5, 10, 15, 13]]


class Cornered(Images):
    """The same, with corners."""

    def target(self, index):
        height, width = self.sizes[index]
        box = np.array([[width / 2 - 6, height / 2 - 2, width / 2 + 6, height / 2 + 2]], np.float32)
        corners = np.stack([box[:, :2], box[:, [2, 1]], box[:, 2:], box[:, [0, 3]]], axis=1)
        return {"boxes": box, "labels": np.array([0]), "difficult": np.array([False]), "corners": corners}


def test_corners_are_scaled_and_collected_where_they_are_known():
    options = config(16, max_side=20)
    known = EvaluationSamples(options, Cornered((20, 40)))[0]
    assert known["boxes"].tolist() == [[7, 4, 13, 6]]
    assert known["corners"].tolist() == [[[7, 4], [13, 4], [13, 6], [7, 6]]]
    samples = [TrainingSamples(options, images)[0] for images in (Cornered((16, 16)), Images((16, 16)))]
    with_corners, without = collate_training(samples)["targets"]
    assert with_corners["corners"].shape == (1, 4, 2)
    assert "corners" not in without


def test_an_image_may_be_one_sample_and_be_taken_by_another_camera():
    options = config(16, tiles=False, augment=AugmentConfig(scale=(1.0, 1.0), camera=1.0))
    samples = TrainingSamples(options, Images((40, 60), (16, 16)), seed=3)
    assert len(samples) == 2
    again = TrainingSamples(options, Images((40, 60), (16, 16)), seed=3)
    assert all(equal(samples[1, index], again[1, index]) for index in range(2))
    plain = TrainingSamples(config(16, tiles=False, augment=AugmentConfig(scale=(1.0, 1.0))), Images((40, 60)), seed=3)
    differ = [not torch.equal(samples[epoch, 0]["image"], plain[epoch, 0]["image"]) for epoch in range(5)]
    assert all(differ)
    assert torch.equal(samples[1, 0]["boxes"], plain[1, 0]["boxes"])
