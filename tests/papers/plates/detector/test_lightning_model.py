"""The detector's network, and what it finds after a short training."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Trainer
from tests.papers.plates.detectors import BrightPlates, detector, phases
from torch import nn

from retable.boxes import AXIS_ALIGNED
from retable.detection.data_module import DetectionDataModule
from retable.detection.schema import AugmentConfig, DetectionDataConfig, SplitCounts
from retable.errors import DivergenceError
from retable.nn.winograd import WinogradConvolution
from retable.papers.plates.anchors import PyramidAnchors
from retable.papers.plates.detector.network import Yolov2Network
from retable.papers.plates.detector.schema import PyramidAnchorsConfig, Yolov2Config


def test_the_paper_s_network_has_540_filters_on_42_x_42_cells_of_1024_channels() -> None:
    config = Yolov2Config(anchors=PyramidAnchors(PyramidAnchorsConfig()), phases=phases(1e-5))
    with torch.device("meta"):
        network = Yolov2Network(config)
        images = torch.rand(2, 3, 672, 672)
        (maps,) = network.backbone(images)
        outputs = network(images)
    assert maps.shape == (2, 1024, 42, 42)
    assert network.output.out_channels == 540
    assert outputs.shape == (2, 42, 42, 90, 6)
    assert "backbone.body.layer3.5.conv3.weight" in network.state_dict()
    assert not any("layer4" in name for name in network.state_dict())


def test_outputs_are_ordered_cell_by_cell_and_anchor_by_anchor() -> None:
    network = detector().network.eval()
    images = torch.rand(1, 3, 32, 48)
    raw = network.output(network.head(network.backbone(images)[0]))
    outputs = network(images)
    assert outputs.shape == (1, 2, 3, 6, 6)
    torch.testing.assert_close(outputs[0, 1, 2, 4], raw[0, 24:30, 1, 2])


def test_a_prediction_is_decoded_and_doubles_are_suppressed() -> None:
    model = detector(score_threshold=0.5).eval()
    network = model.network
    network.anchors.copy_(torch.tensor([[16.0, 8], [17, 8], [40, 40], [1, 1], [1, 1], [1, 1]]))
    outputs = torch.zeros(1, 4, 4, 6, 6)
    outputs[..., 4] = -5
    outputs[0, 1, 2, 0, 4] = 2.0  # a plate of 16 x 8 in the middle of cell (2, 1), and nearly the same once more
    outputs[0, 1, 2, 1, 4] = 1.0
    outputs[0, 3, 0, 2, 4] = 0.1
    network.forward = lambda images: outputs  # type: ignore[method-assign]
    (found,) = model.detect_batch(torch.rand(1, 3, 64, 64))
    assert found["boxes"].tolist() == [[32, 20, 48, 28], [-12, 36, 28, 76]]
    torch.testing.assert_close(found["scores"], torch.tensor([2.0, 0.1]).sigmoid())
    assert found["labels"].tolist() == [0, 0]


def test_a_folded_network_with_winograd_s_convolutions_detects_the_same() -> None:
    model = detector(backbone_width=1.0, score_threshold=0.01)
    images = torch.rand(2, 3, 448, 464)
    with torch.no_grad():
        nn.init.normal_(model.network.output.weight, std=0.02)
        for _ in range(2):
            model.network(images[:, :, :64, :64])
    model.eval()
    outputs, expected = model.network(images), model.detect_batch(images)
    with model.quick():
        layers = list(model.network.modules())
        assert any(isinstance(layer, WinogradConvolution) for layer in layers)
        assert not any(isinstance(layer, nn.BatchNorm2d) for layer in layers)
        torch.testing.assert_close(model.network(images), outputs, atol=1e-3, rtol=1e-3)
        found = model.detect_batch(images)
    for ours, others in zip(found, expected, strict=True):  # of nearly equal scores any may come first
        torch.testing.assert_close(ours["scores"], others["scores"], atol=1e-4, rtol=1e-3)
        assert AXIS_ALIGNED.iou(ours["boxes"][:20], others["boxes"]).amax(dim=1).tolist() == pytest.approx(
            [1] * 20, abs=0.01
        )


def test_a_loss_that_is_not_finite_is_told() -> None:
    model = detector()
    with torch.no_grad():
        model.network.output.weight.fill_(torch.nan)
    boxes, none = torch.tensor([[4.0, 4, 30, 20]]), torch.zeros(1)
    targets = [{"boxes": boxes, "labels": none.long(), "difficult": none.bool()}]
    with pytest.raises(DivergenceError, match=r"model\.phases\.first\.lr"):
        model.training_step({"images": torch.rand(1, 3, 64, 64), "targets": targets}, 0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*")
@pytest.mark.filterwarnings("ignore:The number of training batches.*")
def test_it_learns_is_tested_and_tells_how_its_anchors_fit(tmp_path: Path) -> None:
    config = DetectionDataConfig(
        scenes=BrightPlates, scene_size=64, image_size=64, batch_size=8, workers=0, tile_overlap=0,
        counts=SplitCounts(train=64, val=8, test=8), augment=AugmentConfig(enabled=False),
    )  # fmt: skip
    data, model = DetectionDataModule(config, seed=0), detector(phases=phases(1e-2))
    trainer: Any = Trainer(
        max_epochs=8, logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=tmp_path, use_distributed_sampler=False, accelerator="cpu", devices=1,
    )  # fmt: skip
    trainer.fit(model, datamodule=data)
    trainer.test(model, datamodule=data, verbose=False)
    metrics = trainer.callback_metrics
    assert metrics["test/ap50_voc12"] > 0.3  # without training it is 0
    assert 0.5 < metrics["test/anchor_iou_min"] < metrics["test/anchor_iou_mean"] < 1
    assert {name.removeprefix("test/") for name in metrics if name.startswith("test/")} == set(model.metric_info)
    # br and us have three images each, and two have no country
    found, of_countries = (
        round(8 * float(metrics["test/recall50"])),
        [round(3 * float(metrics[f"test/recall50_{country}"])) for country in ("br", "us")],
    )
    assert sum(of_countries) <= found <= sum(of_countries) + 2
    assert 0 < metrics["test/image_seconds"] < 10
    assert (tmp_path / next(iter(model.pictures))).stat().st_size > 1000
