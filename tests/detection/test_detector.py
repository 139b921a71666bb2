"""A detector of axis-aligned boxes at stride 16 goes through the room as one of rotated boxes at stride 32 does."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pytorch_lightning import Trainer
from torch import Tensor, nn

from retable.boxes import AXIS_ALIGNED
from retable.detection.data_module import DetectionDataModule
from retable.detection.detector import Detector
from retable.detection.schema import AugmentConfig, DetectionDataConfig, DetectorConfig, PredictionOptions, SplitCounts
from retable.detection.tiles import Prediction
from retable.errors import ConfigError
from retable.run import checkpoints

# Lightning's own: it uses what torch deprecates, and advises on loader processes
pytestmark = [
    pytest.mark.slow,  # it trains
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
]


class Plates:
    """Bright rectangles of two classes, wide and nearly square ones, on dark ground."""

    def __init__(self, split: str, count: int, image_size: int, seed: int) -> None:
        self.split, self.count, self.size, self.seed = split, count, image_size, seed
        self.classes = ["long", "short"]
        self.image_ids = [f"{split}{index}" for index in range(count)]

    def __len__(self) -> int:
        return self.count

    def image_size(self, index: int) -> tuple[int, int]:
        return self.size, self.size

    def target(self, index: int) -> dict[str, np.ndarray]:
        generator = np.random.default_rng([self.seed, len(self.split), index])
        places = generator.choice((self.size // 32) ** 2, 2, replace=False)
        label = generator.integers(0, 2, 2)
        centre = np.stack([places % (self.size // 32), places // (self.size // 32)], axis=1) * 32 + 10
        centre = centre + generator.integers(-3, 4, (2, 2))
        half = np.where(label[:, None] == 0, (12, 4), (6, 5))
        boxes = np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)
        return {"boxes": boxes, "labels": label, "difficult": np.zeros(2, np.bool_)}

    def load(self, index: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        target = self.target(index)
        image = np.full((self.size, self.size, 3), 40, np.uint8)
        for x1, y1, x2, y2 in target["boxes"].astype(int):
            image[y1:y2, x1:x2] = 220
        return image, target

    @property
    def provenance(self) -> dict[str, Any]:
        return {"kind": "synthetic", "source": "plates", "fingerprint": self.split}


class TinyDetector(Detector):
    """Each cell of 16 pixels tells class scores and the sides of the box whose centre it holds."""

    box_format = AXIS_ALIGNED
    multiple = 16
    weights_origin = "scratch"

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__(config)
        self.network = nn.Sequential(
            nn.Conv2d(3, 16, 4, 4), nn.ReLU(), nn.Conv2d(16, 32, 5, 2, 2), nn.ReLU(), nn.Conv2d(32, 48, 5, 2, 2),
            nn.ReLU(), nn.Conv2d(48, config.num_classes + 4, 3, padding=1),
        )  # fmt: skip

    def outputs(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B, H, W, C) and boxes (B, H, W, 4) in pixels."""
        outputs = self.network(images).permute(0, 2, 3, 1)
        rows, columns = (torch.arange(side, device=self.device) * 16.0 + 8 for side in outputs.shape[1:3])
        places = torch.cartesian_prod(rows, columns).view(*outputs.shape[1:3], 2).flip(-1)
        sides = 16 * outputs[..., -4:]
        return outputs[..., :-4], torch.cat([places - sides[..., :2], places + sides[..., 2:]], dim=-1)

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        scores, boxes = self.outputs(batch["images"])
        wanted, distance = torch.zeros_like(scores), boxes.new_zeros(())
        for number, target in enumerate(batch["targets"]):
            cells = (AXIS_ALIGNED.centres(target["boxes"]) / 16).long().clamp(0, scores.shape[1] - 1)
            wanted[number, cells[:, 1], cells[:, 0], target["labels"]] = 1
            distance = distance + F.smooth_l1_loss(boxes[number, cells[:, 1], cells[:, 0]], target["boxes"])
        return F.binary_cross_entropy_with_logits(scores, wanted) * 20 + distance / len(boxes)

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam(self.parameters(), 6e-3)

    @torch.no_grad()
    def detect_batch(self, images: Tensor) -> list[Prediction]:
        found = []
        for scores, boxes in zip(*self.outputs(images), strict=True):
            best, labels = scores.sigmoid().flatten(0, 1).max(dim=1)
            kept = AXIS_ALIGNED.nms(boxes.flatten(0, 1), best, self.config.nms_threshold, labels)
            kept = kept[best[kept] > self.config.score_threshold]
            found.append({"boxes": boxes.flatten(0, 1)[kept], "scores": best[kept], "labels": labels[kept]})
        return found


def options(**changes: Any) -> DetectorConfig:
    return DetectorConfig(**{"num_classes": 2, "tile_size": 96, "tile_overlap": 32, "tile_batch": 2, **changes})


def trainer_in(folder: Path, **changes: Any) -> Trainer:
    defaults: dict[str, Any] = {
        "max_epochs": 1, "logger": False, "enable_checkpointing": False, "enable_progress_bar": False,
        "enable_model_summary": False, "num_sanity_val_steps": 0,
    }  # fmt: skip
    return Trainer(default_root_dir=folder, accelerator="cpu", devices=1, **{**defaults, **changes})


def data_of(**changes: Any) -> DetectionDataModule:
    augment = AugmentConfig(rotation_degrees=0, scale=(0.9, 1.1))
    defaults = {"scenes": Plates, "counts": SplitCounts(64, 6, 6), "scene_size": 96, "image_size": 64, "workers": 0}
    return DetectionDataModule(
        DetectionDataConfig(**{**defaults, "augment": augment, "tile_overlap": 16, **changes}), seed=1
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TinyDetector, Path]:
    folder = tmp_path_factory.mktemp("detector")
    torch.manual_seed(0)
    module = TinyDetector(options())
    trainer = trainer_in(folder, max_epochs=9, limit_val_batches=0)
    trainer.fit(module, datamodule=data_of())
    trainer.save_checkpoint(folder / "last.ckpt")
    return module.eval(), folder


def test_what_predict_is_asked_for_is_not_cut_off_by_the_model(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((32, 32, 3), np.uint8))

    def found(threshold: float) -> int:
        model = TinyDetector(DetectorConfig(num_classes=2, score_threshold=0.05, tile_size=64, tile_overlap=16)).eval()
        model.detect_batch = lambda images: [_faint(model.config.score_threshold)]  # type: ignore[method-assign]
        options = PredictionOptions(input=str(path), score_threshold=threshold)
        model.predict_to(tmp_path / "out", options, DetectionDataConfig(), {})
        return len(json.loads((tmp_path / "out" / "detections.json").read_text())["images"][0]["detections"])

    assert [found(threshold) for threshold in (0.5, 0.03, 0.01)] == [1, 2, 3]


def _faint(threshold: float) -> Prediction:
    """What a detector finds above its threshold."""
    scores = torch.tensor([0.6, 0.04, 0.02])
    scores = scores[scores > threshold]
    boxes = torch.tensor([[4.0, 4, 20, 20]]).repeat(len(scores), 1)
    return {"boxes": boxes, "scores": scores, "labels": torch.zeros(len(scores), dtype=torch.int64)}


def test_it_trains_is_tested_and_leaves_pictures(trained: tuple[TinyDetector, Path]) -> None:
    module, folder = trained
    trainer = trainer_in(folder)
    trainer.test(module, datamodule=data_of(), verbose=False)
    assert trainer.callback_metrics["test/ap50_voc12"] > 0.8
    assert {f"test/{name}" for name in module.metric_info} == set(trainer.callback_metrics)
    tested = {f"test/{name}": np.float32(value) for name, value in module.image_results().metrics().items()}
    assert trainer.callback_metrics.pop("test/image_seconds") > 0
    np.testing.assert_equal(tested, {name: value.numpy() for name, value in trainer.callback_metrics.items()})
    assert cv2.imread(str(folder / "plots" / "detections.png")).std() > 5
    assert (folder / "plots" / "precision_recall.png").is_file()


class TurnedPlates(Plates):
    """The same, whose classes are counted in the other order."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.classes = ["short", "long"]

    def load(self, index: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        image, target = super().load(index)
        return image, {**target, "labels": 1 - target["labels"]}


def test_classes_that_other_data_count_otherwise_are_found_by_name(trained: tuple[TinyDetector, Path]) -> None:
    _, folder = trained
    found = []
    for scenes in (Plates, TurnedPlates):
        module, trainer = TinyDetector(options()), trainer_in(folder)
        checkpoints.load_into(module, folder / "last.ckpt")
        trainer.test(module, datamodule=data_of(scenes=scenes), verbose=False)
        found.append((float(trainer.callback_metrics["test/ap50_voc12"]), module.about))
    told = {"classes": "the data count the classes in another order, short, long"}
    assert found == [(found[0][0], {}), (found[0][0], told)]
    assert found[0][0] > 0.8


def test_large_images_are_detected_in_tiles_each_object_once(trained: tuple[TinyDetector, Path]) -> None:
    module, _ = trained
    image, target = Plates("test", 3, 256, 5).load(2)
    (found,) = module.detect([torch.from_numpy(image).permute(2, 0, 1)])
    iou = AXIS_ALIGNED.iou(found["boxes"], torch.from_numpy(target["boxes"]))
    of_class = found["labels"][:, None] == torch.from_numpy(target["labels"])
    assert ((iou > 0.4) & of_class & (found["scores"] > 0.25)[:, None]).sum(dim=0).tolist() == [1, 1]


def test_images_are_padded_to_its_own_multiple(trained: tuple[TinyDetector, Path], monkeypatch: Any) -> None:
    module, _ = trained
    shapes = []
    monkeypatch.setattr(
        module, "detect_batch", lambda x: shapes.append(tuple(x.shape)) or TinyDetector.detect_batch(module, x)
    )
    module.detect([torch.rand(3, 40, 90), torch.rand(3, 33, 96)])
    assert shapes == [(2, 3, 48, 96)]
    with pytest.raises(ConfigError, match=r"model\.tile_size: 100 must be a multiple of 16"):
        TinyDetector(options(tile_size=100))


def test_it_predicts_on_files_with_the_class_names_of_its_data(
    trained: tuple[TinyDetector, Path], tmp_path: Path
) -> None:
    _, folder = trained
    module = TinyDetector(options())
    checkpoints.load_into(module, folder / "last.ckpt")
    image, target = Plates("test", 3, 96, 5).load(2)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    asked = PredictionOptions(str(tmp_path / "a.png"), 0.3)
    module.eval().predict_to(tmp_path / "out", asked, DetectionDataConfig(), {"run": "r"})
    (entry,) = json.loads((tmp_path / "out" / "detections.json").read_text())["images"]
    assert sorted(found["class"] for found in entry["detections"]) == sorted(
        ["long", "short"][label] for label in target["labels"]
    )
    assert all(list(found["box"]) == ["x1", "y1", "x2", "y2"] for found in entry["detections"])


def test_meanwhile_it_detects_the_same_by_a_faster_network(trained: tuple[TinyDetector, Path]) -> None:
    module, _ = trained
    scenes = Plates("test", 3, 96, 5)
    images = [torch.from_numpy(scenes.load(index)[0]).permute(2, 0, 1) for index in range(3)]
    network, state, expected = module.network, list(module.state_dict()), module.detect(images)
    with module.quick(), torch.inference_mode():
        assert module.network is not network
        found = module.detect(images)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert module.network is network
    assert list(module.state_dict()) == state
