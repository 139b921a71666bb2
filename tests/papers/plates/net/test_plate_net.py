"""plate_net: assignment, loss, decoding, the second look, and a short training."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Trainer
from tests.papers.plates.detectors import BrightPlates

from retable.boxes import AXIS_ALIGNED
from retable.detection.data_module import DetectionDataModule
from retable.detection.schema import AugmentConfig, DetectionDataConfig, SplitCounts
from retable.errors import DivergenceError
from retable.papers.plates.net.assignment import assign
from retable.papers.plates.net.coding import decode_boxes, decode_corners, encode_corners, places
from retable.papers.plates.net.lightning_model import PlateNetModule
from retable.papers.plates.net.network import PlateNetwork
from retable.papers.plates.net.schema import PlateNetConfig

CPU = torch.device("cpu")
SMALL: dict[str, Any] = {"stem": 8, "widths": (8, 16, 16, 16), "blocks": (0, 1, 0, 0), "channels": 16, "warmup": 4}


def small(**changes: Any) -> PlateNetModule:
    """A detector of few weights, always the same."""
    torch.manual_seed(0)
    return PlateNetModule(PlateNetConfig(**{**SMALL, **changes}))


def target(*boxes: tuple[float, ...], difficult: tuple[int, ...] = ()) -> dict[str, torch.Tensor]:
    """Plates, of which some are difficult."""
    hard = torch.tensor([index in difficult for index in range(len(boxes))], dtype=torch.bool)
    labels = torch.zeros(len(boxes), dtype=torch.int64)
    return {"boxes": torch.tensor(boxes).reshape(-1, 4), "labels": labels, "difficult": hard}


def test_it_has_half_a_million_to_a_million_weights_and_places_of_three_strides() -> None:
    with torch.device("meta"):
        network = PlateNetwork(PlateNetConfig())
        logits, shapes = network(torch.rand(2, 3, 64, 96))
    assert 500_000 < sum(weights.numel() for weights in network.parameters()) < 1_000_000
    count = 16 * 24 + 8 * 12 + 4 * 6
    assert (logits.shape, shapes.shape) == ((2, count, 1), (2, count, 12))
    at = places(64, 96, CPU)
    assert len(at.points) == count
    assert at.points[1].tolist() == [6, 2]
    assert at.points[16 * 24 + 12].tolist() == [4, 12]
    assert at.strides[[0, 16 * 24, -1]].tolist() == [4, 8, 16]


def test_outputs_of_a_place_are_its_own() -> None:
    network = small().network.eval()
    images = torch.rand(1, 3, 64, 64)
    before = network(images)[0]
    images[0, :, 62, 62] += 50.0
    changed = (network(images)[0] - before).abs()[0, :, 0]
    at = places(64, 64, CPU)
    assert at.points[:256][changed[:256].argmax()].gt(40).all()


def test_boxes_and_corners_are_decoded_as_they_are_encoded() -> None:
    at = places(32, 32, CPU)
    boxes = torch.tensor([[3.0, 5, 21, 13]])
    corners = torch.tensor([[[4.0, 5], [21, 6], [20, 13], [3, 12]]])
    place = int((at.points == torch.tensor([10.0, 10.0])).all(dim=1).nonzero()[0])
    at = type(at)(at.points[place : place + 1], at.strides[place : place + 1])
    distances = torch.tensor([[5.0, 11, 3, 7]])  # top, right, bottom, left
    outputs = torch.cat([(distances / at.strides).log(), encode_corners(corners, boxes)], dim=1)
    torch.testing.assert_close(decode_boxes(outputs, at), boxes)
    torch.testing.assert_close(decode_corners(outputs, boxes), corners)


def test_the_places_that_predict_a_plate_best_learn_it() -> None:
    at = places(64, 64, CPU)
    count = len(at.points)
    boxes = torch.tensor([[8.0, 8, 40, 20], [40, 40, 60, 50], [2, 50, 12, 60]])
    scores = torch.full((2, count, 1), 0.1)
    predicted = torch.cat([at.points - 3, at.points + 3], dim=1).repeat(2, 1, 1)
    inside = ((at.points > boxes[0, :2]) & (at.points < boxes[0, 2:])).all(dim=1).nonzero().squeeze(1)
    good = inside[[0, 3, 5]]
    predicted[0, good] = boxes[0] + torch.tensor([0.0, 0, 2, 0])
    scores[0, good[1]] = 0.9
    found = assign(
        scores, predicted, at, boxes, torch.zeros(3, dtype=torch.int64), torch.tensor([False, False, True]),
        torch.tensor([0, 0, 1]), candidates=3, alignment=6.0,
    )  # fmt: skip
    of_first = found.boxes == 0
    assert sorted(found.places[of_first].tolist()) == sorted(good.tolist())
    iou = 32 / 34
    torch.testing.assert_close(found.scores[of_first], torch.full((3,), iou))
    assert (found.boxes == 1).sum() == 3
    assert set(found.boxes.tolist()) == {0, 1}
    difficult = found.ignored.view(2, count)
    assert not difficult[0].any()
    assert ((at.points[difficult[1]] > boxes[2, :2]) & (at.points[difficult[1]] < boxes[2, 2:])).all()
    assert difficult[1].any()


def test_images_without_plates_teach_scores_alone() -> None:
    model = small()
    parts = model.loss(torch.rand(2, 3, 64, 64), [target(), target((10.0, 10, 30, 20), difficult=(0,))])
    assert parts.score > 0
    assert (parts.box, parts.corners) == (0, 0)
    parts.total.backward()
    assert all(weights.grad is None or weights.grad.isfinite().all() for weights in model.parameters())


def test_corners_are_learnt_where_they_are_known() -> None:
    model = small()
    images = torch.rand(2, 3, 64, 64)
    plain = target((10.0, 10, 30, 20))
    assert model.loss(images, [plain, plain]).corners == 0
    known = {**plain, "corners": torch.tensor([[[10.0, 10], [30, 14], [30, 20], [10, 16]]])}
    upright = {**plain, "corners": AXIS_ALIGNED.corners(plain["boxes"])}
    turned, straight = (model.loss(images, [plain, each]).corners for each in (known, upright))
    assert turned > 10 * straight


def test_a_loss_that_is_not_finite_is_told() -> None:
    model = small()
    with torch.no_grad():
        model.network.scores.weight.fill_(torch.nan)
    with pytest.raises(DivergenceError, match=r"model\.lr"):
        model.training_step({"images": torch.rand(1, 3, 64, 64), "targets": [target((4.0, 4, 30, 20))]}, 0)


def test_images_without_a_find_are_looked_at_as_large_as_they_are() -> None:
    model = small(first_side=64, second_below=0.5).eval()
    seen: list[tuple[int, ...]] = []

    def outputs(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen.append(tuple(images.shape))
        count = len(places(*images.shape[2:], CPU).points)
        logits, shapes = torch.full((len(images), count, 1), -9.0), torch.zeros(len(images), count, 12)
        logits[images.mean(dim=(1, 2, 3)) > 0.5, 33] = 2.0
        logits[:, 35] = 3.0 if max(images.shape[2:]) > 64 else -2.0
        return logits, shapes

    model.network.forward = outputs  # type: ignore[method-assign]
    images = torch.stack([torch.ones(3, 96, 128), torch.zeros(3, 96, 128)])
    bright, dark = model.detect_batch(images)
    assert seen == [(2, 3, 64, 64), (1, 3, 96, 128)]
    # place 33 of 16 columns: row 2, column 1, a box of 8 x 8 about (6, 10), at half the size
    assert bright["boxes"][0].tolist() == [4, 12, 20, 28]
    assert bright["corners"][0].tolist() == [[4, 12], [20, 12], [20, 28], [4, 28]]
    torch.testing.assert_close(bright["scores"], torch.tensor([2.0, -2.0]).sigmoid())
    torch.testing.assert_close(dark["scores"], torch.tensor([3.0, -2.0]).sigmoid())
    assert dark["boxes"][0].tolist() == [10, 2, 18, 10]  # place 35 of 32 columns
    small_images = model.detect_batch(torch.ones(1, 3, 64, 64))
    assert len(seen) == 3
    assert len(small_images[0]["boxes"]) == 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*")
@pytest.mark.filterwarnings("ignore:The number of training batches.*")
def test_it_learns_to_detect(tmp_path: Path) -> None:
    config = DetectionDataConfig(
        scenes=BrightPlates, scene_size=64, image_size=64, batch_size=8, workers=0, tiles=False,
        counts=SplitCounts(train=64, val=8, test=8), augment=AugmentConfig(enabled=False),
    )  # fmt: skip
    data, model = DetectionDataModule(config, seed=0), small(lr=1e-2)
    trainer: Any = Trainer(
        max_epochs=8, logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=tmp_path, use_distributed_sampler=False, accelerator="cpu", devices=1,
    )  # fmt: skip
    trainer.fit(model, datamodule=data)
    (metrics,) = trainer.test(model, datamodule=data, verbose=False)
    assert metrics["test/ap50_voc12"] > 0.8
    assert {"test/ap50_voc12_br", "test/ap50_voc12_us"} <= set(metrics)
