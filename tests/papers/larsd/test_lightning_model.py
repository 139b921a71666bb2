import csv
import functools
import logging
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from pytorch_lightning import LightningDataModule, Trainer
from pytorch_lightning.loggers import CSVLogger
from tests.papers.larsd.variants import VARIANTS
from torch import Tensor
from torch.utils.data import DataLoader

from retable.boxes import box_to_corners, canonical, upright_size
from retable.detection.schema import DetectorConfig
from retable.errors import CheckpointError, ConfigError, DivergenceError
from retable.papers.larsd.lightning_model import LarsdModule
from retable.papers.larsd.schema import LarsdConfig

# Lightning's own: it uses what torch deprecates, and advises on loader processes
pytestmark = [
    pytest.mark.slow,  # it trains
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
]

SMALL: dict[str, Any] = {
    "backbone": "test_resnet",
    "weights": "none",
    "channels": 16,
    "lr": 0.02,
    "tile_size": 128,
    "tile_overlap": 32,
}


def ships(count: int, side: int = 64, seed: int = 0) -> list[dict[str, Tensor]]:
    """Bright turned rectangles on dark water."""
    generator = torch.Generator().manual_seed(seed)
    rows, columns = torch.meshgrid(torch.arange(side) + 0.5, torch.arange(side) + 0.5, indexing="ij")
    samples = []
    for index in range(count):
        image = 0.2 + 0.05 * torch.rand(3, side, side, generator=generator)
        r = torch.rand(2, 5, generator=generator)
        places = torch.tensor([[0.28, 0.5], [0.72, 0.5]]) * side
        size = torch.stack([side * (0.25 + 0.1 * r[:, 2]), side * 0.11 * (1 + 0.3 * r[:, 3])], dim=1)
        angle = (r[:, 4:] - 0.5) * torch.pi
        boxes = canonical(torch.cat([places + (r[:, :2] - 0.5) * side * 0.1, size, angle], dim=1))
        for cx, cy, w, h, theta in boxes:
            x, y = columns - cx, rows - cy
            along, across = x * theta.cos() + y * theta.sin(), y * theta.cos() - x * theta.sin()
            image[:, (along.abs() <= w / 2) & (across.abs() <= h / 2)] = 0.9
        samples.append(
            {"image": image, "boxes": boxes, "labels": torch.zeros(2, dtype=torch.int64),
             "difficult": torch.zeros(2, dtype=torch.bool), "index": torch.tensor(index)}
        )  # fmt: skip
    return samples


def collate(samples: list[dict[str, Tensor]], stack: bool) -> dict[str, Any]:
    images = [sample["image"] for sample in samples]
    return {
        "images": torch.stack(images) if stack else images,
        "targets": [{key: sample[key] for key in ("boxes", "labels", "difficult")} for sample in samples],
        "indices": [int(sample["index"]) for sample in samples],
    }


class Ships(LightningDataModule):
    classes = ("ship",)
    test_name = "test"

    def __init__(self, count: int = 4, batch: int = 4) -> None:
        super().__init__()
        self.samples, self.batch = ships(count), batch

    def training_boxes(self) -> Tensor:
        return torch.cat([sample["boxes"] for sample in self.samples])

    def train_dataloader(self) -> Any:
        return DataLoader(self.samples, self.batch, collate_fn=lambda s: collate(s, True))  # type: ignore[arg-type]

    def val_dataloader(self) -> Any:
        return DataLoader(self.samples, 3, collate_fn=lambda s: collate(s, False))  # type: ignore[arg-type]

    test_dataloader = val_dataloader


def make_module(**options: Any) -> LarsdModule:
    torch.manual_seed(0)
    return LarsdModule(LarsdConfig(**{**SMALL, **options}))


def make_trainer(folder: Path, **options: Any) -> Trainer:
    defaults: dict[str, Any] = {
        "max_epochs": 1, "log_every_n_steps": 2, "logger": False, "enable_checkpointing": False,
        "enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0,
    }  # fmt: skip
    return Trainer(default_root_dir=folder, accelerator="cpu", devices=1, **{**defaults, **options})


def options_of(overrides: list[str]) -> dict[str, Any]:
    merged = OmegaConf.merge(OmegaConf.structured(LarsdConfig), OmegaConf.from_dotlist(overrides).get("model", {}))
    options = OmegaConf.to_container(merged)
    assert isinstance(options, dict)
    return {str(key): value for key, value in options.items() if not str(key).startswith("_")}


@functools.cache
def learnt(anchors: bool, levels: tuple[str, ...]) -> LarsdModule:
    """A module after a dozen steps; the alignment is no part of the loss, so the rows that differ by it learn alike."""
    module = make_module(anchors=anchors, levels=list(levels))
    batch = collate(ships(2), True)
    module.network.priors.fit(upright_size(torch.cat([target["boxes"] for target in batch["targets"]])))
    optimizer = torch.optim.SGD(module.parameters(), 0.02, momentum=0.9)
    losses = []
    for _ in range(12):
        loss = module.loss(batch["images"], batch["targets"]).total
        optimizer.zero_grad()
        loss.backward()
        assert all(parameter.grad is not None for parameter in module.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
    return module


@pytest.mark.parametrize("name", VARIANTS)
def test_every_row_of_the_tables_learns_and_detects(name: str) -> None:
    options = options_of(VARIANTS[name])
    module = make_module(**{key: options[key] for key in ("anchors", "lasa", "levels", "anchors_per_group")})
    module.load_state_dict(learnt(options["anchors"], tuple(options["levels"])).state_dict())
    for prediction in module.eval().detect(collate(ships(2), False)["images"]):
        assert prediction["boxes"].shape == (len(prediction["scores"]), 5)


def test_variants_differ_as_the_tables_say() -> None:
    rows = {name: options_of(overrides) for name, overrides in VARIANTS.items()}
    shown = {name: (row["lasa"], "+".join(row["levels"]), row["anchors"]) for name, row in rows.items()}
    assert shown == {
        "Baseline": ("none", "P2", False),
        "LARSD-1": ("rectangle-9", "P2", False),
        "LARSD-2": ("diamond-5", "P2", False),
        "LARSD-3": ("diamond-9", "P2", False),
        "LARSD-4": ("diamond-13", "P2", False),
        "LARSD-5": ("none", "P3", False),
        "LARSD-6": ("none", "P4", False),
        "LARSD-7": ("none", "P2+P3+P4", False),
        "LARSD-8": ("diamond-9", "P2+P3+P4", False),
        "LARSD-9": ("none", "P2", True),
        "LARSD-10": ("none", "P2+P3+P4", True),
        "LARSD-11": ("diamond-9", "P2+P3+P4", True),
    }


def test_training_finds_the_ships(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = make_module(schedule="cosine", lr=0.05)
    trainer = make_trainer(tmp_path, max_epochs=60, check_val_every_n_epoch=60)
    trainer.fit(module, datamodule=Ships())
    assert trainer.callback_metrics["val/ap50_voc12"] > 0.9
    trainer.test(module, datamodule=Ships(), verbose=False)
    assert trainer.callback_metrics["test/ap50_voc07"] > 0.9
    names = ("ap50_voc07", "ap50_voc12", "ap75", "ap50_95", "recall50")
    assert {f"test/{name}" for name in (*names, "image_seconds")} == set(trainer.callback_metrics)
    assert module.weights_origin == "scratch"


def test_tested_split_names_the_metrics(tmp_path: Path) -> None:
    data = Ships()
    data.test_name = "val"
    trainer = make_trainer(tmp_path)
    trainer.test(make_module(), datamodule=data, verbose=False)
    assert "val/ap50_voc07" in trainer.callback_metrics
    assert not [name for name in trainer.callback_metrics if name.startswith("test/")]


def test_losses_are_logged_every_few_steps_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logger = CSVLogger(tmp_path)
    rates = []
    log = LarsdModule.log
    monkeypatch.setattr(
        LarsdModule,
        "log",
        lambda self, name, value, **k: (name != "lr" or rates.append(value), log(self, name, value, **k)),
    )
    trainer = make_trainer(tmp_path, max_epochs=2, limit_val_batches=0, logger=logger)
    trainer.fit(make_module(), datamodule=Ships(count=4, batch=2))
    with (Path(logger.log_dir) / "metrics.csv").open() as file:
        rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file) if row["train/loss"]]
    assert [row["step"] for row in rows] == [1, 3]
    names = {"loss", "loss_class", "loss_distance", "loss_angle", "positives"}
    assert {f"train/{name}" for name in names} | {"lr"} <= set(rows[0])
    parts = [rows[0][f"train/loss_{name}"] for name in ("class", "distance", "angle")]
    assert rows[0]["train/loss"] == pytest.approx(sum(parts), rel=1e-4)
    assert {type(rate) for rate in rates} == {float}, "NCCL averages no tensors of the CPU"


def test_anchors_come_from_the_training_boxes_and_stay_with_the_checkpoint(tmp_path: Path) -> None:
    module, data = make_module(), Ships()
    trainer = make_trainer(tmp_path, limit_val_batches=0)
    trainer.fit(module, datamodule=data)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    checkpoint = torch.load(tmp_path / "a.ckpt", weights_only=True)
    other = make_module()
    assert not torch.equal(other.network.priors.sizes, module.network.priors.sizes)
    other.load_state_dict(checkpoint["state_dict"])
    assert torch.equal(other.network.priors.sizes, module.network.priors.sizes)
    images = [sample["image"] for sample in data.samples]
    for first, second in zip(module.eval().detect(images), other.eval().detect(images), strict=True):
        assert torch.equal(first["boxes"], second["boxes"])
    config = LarsdConfig(**SMALL)
    loaded = LarsdModule.load_from_checkpoint(tmp_path / "a.ckpt", config=config, weights_only=True)
    assert torch.equal(loaded.network.priors.sizes, module.network.priors.sizes)
    assert loaded.classes == ["ship"]


def test_a_module_with_loaded_weights_keeps_its_anchors_when_it_is_fitted_again(tmp_path: Path) -> None:
    module = make_module()
    module.network.priors.fit(torch.tensor([[40.0, 10.0], [10.0, 40.0]]))
    before = module.network.priors.sizes.clone()
    make_trainer(tmp_path, limit_val_batches=0).fit(module, datamodule=Ships())
    assert torch.equal(module.network.priors.sizes, before)


def test_weights_origin_survives_resuming(tmp_path: Path) -> None:
    torch.save(make_module().network.backbone.body.state_dict(), tmp_path / "weights.pth")
    module = make_module(weights=str(tmp_path / "weights.pth"))
    trainer = make_trainer(tmp_path, limit_val_batches=0)
    trainer.fit(module, datamodule=Ships())
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    (tmp_path / "weights.pth").unlink()
    resumed = make_module(weights=str(tmp_path / "weights.pth"))
    again = make_trainer(tmp_path, limit_val_batches=0, max_epochs=2)
    again.fit(resumed, datamodule=Ships(), ckpt_path=tmp_path / "a.ckpt", weights_only=True)
    assert resumed.weights_origin == module.weights_origin
    assert resumed.weights_origin.startswith(f"file:{tmp_path / 'weights.pth'} sha256:")


def test_missing_weights_file_ends_the_run_before_it_starts(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nothing\.pth"):
        make_trainer(tmp_path).fit(make_module(weights=str(tmp_path / "nothing.pth")), datamodule=Ships())


def test_wrong_number_of_classes_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.num_classes: the dataset has 1 classes \(ship\), not 2"):
        make_trainer(tmp_path).fit(make_module(num_classes=2), datamodule=Ships())


@pytest.mark.parametrize(("key", "part"), [("classification", "class"), ("regression", "distance and angle")])
def test_a_loss_that_is_not_finite_names_part_and_step(tmp_path: Path, key: str, part: str) -> None:
    module = make_module()
    with torch.no_grad():
        getattr(module.network, key).output.bias.fill_(torch.nan)
    with pytest.raises(DivergenceError, match=f"the {part} loss is not finite at step 0"):
        make_trainer(tmp_path).fit(module, datamodule=Ships())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": ["P4", "P2"]}, r"model\.levels=\['P4', 'P2'\]"),
        ({"levels": ["P5"]}, r"levels=\['P5'\]: each must be P2, P3 or P4"),
        ({"levels": []}, r"model\.levels"),
        ({"lasa": "circle"}, "lasa=circle: must be none, rectangle-9"),
        ({"schedule": "linear"}, "schedule=linear"),
        ({"optimizer": "adam"}, "optimizer=adam: must be sgd or adamw"),
        ({"lr": 0.0}, "lr=0.0: must be above 0"),
        ({"channels": 0}, "channels=0"),
        ({"nms_threshold": 1.5}, "nms_threshold=1.5"),
        ({"tile_size": 100}, r"model\.tile_size"),
        ({"tile_overlap": 128}, r"model\.tile_size"),
    ],
)
def test_impossible_values_name_their_key(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_module(**options)


def learning_rates(steps: int, **options: Any) -> list[float]:
    module = make_module(**options)
    module.trainer = type("T", (), {"estimated_stepping_batches": steps})()
    configured = module.configure_optimizers()
    assert configured["lr_scheduler"]["interval"] == "step"
    rates = []
    for _ in range(steps):
        rates.append(configured["optimizer"].param_groups[0]["lr"])
        configured["optimizer"].step()
        configured["lr_scheduler"]["scheduler"].step()
    return rates


def test_paper_schedule_divides_by_ten_at_every_interval() -> None:
    expected = [1e-3] * 3 + [1e-4] * 3 + [1e-5] * 2
    assert learning_rates(8, lr=1e-3, lr_step=3) == pytest.approx(expected)


def test_cosine_falls_from_the_rate_to_zero_after_the_warm_up() -> None:
    rates = learning_rates(100, lr=1.0, schedule="cosine", warmup=9)
    assert (rates[0], rates[50]) == (pytest.approx(0.1), pytest.approx(0.5))


def test_optimisers_take_the_momentum_and_the_decay() -> None:
    module = make_module(optimizer="adamw", lr=2e-3, momentum=0.8, weight_decay=0.01)
    group = module.configure_optimizers()["optimizer"].param_groups[0]
    assert (group["betas"][0], group["weight_decay"], group["decoupled_weight_decay"]) == (0.8, 0.01, True)
    group = make_module(momentum=0.8, weight_decay=0.01).configure_optimizers()["optimizer"].param_groups[0]
    assert (group["momentum"], group["weight_decay"]) == (0.8, 0.01)
    assert len(group["params"]) == len(list(module.parameters()))


def test_images_of_any_size_are_detected_like_padded_ones() -> None:
    module = make_module(score_threshold=0.0, candidates=50).eval()
    images = [torch.rand(3, 60, 90), torch.rand(3, 64, 64), torch.rand(3, 33, 70), torch.rand(3, 60, 90)]
    together = module.detect(images)
    for image, found in zip(images, together, strict=True):
        (alone,) = module.detect([image])
        torch.testing.assert_close(found["boxes"], alone["boxes"], rtol=1e-3, atol=1e-2)
        centre, limit = found["boxes"][:, :2], torch.tensor([image.shape[2], image.shape[1]])
        assert len(centre) > 0
        assert ((centre >= 0) & (centre <= limit)).all()


def test_bytes_and_floats_give_the_same_detections() -> None:
    module = make_module(score_threshold=0.0, candidates=20).eval()
    image = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)
    (first,), (second,) = module.detect([image]), module.detect([image.float() / 255])
    torch.testing.assert_close(first["boxes"], second["boxes"])


def test_large_images_go_through_the_network_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    module = make_module(tile_size=64, tile_overlap=32, tile_batch=2, score_threshold=0.0, candidates=5).eval()
    shapes: list[tuple[int, ...]] = []
    forward = module.network.forward
    monkeypatch.setattr(module.network, "forward", lambda x: shapes.append(tuple(x.shape)) or forward(x))
    (found,) = module.detect([torch.rand(3, 100, 180)])
    assert shapes
    assert all(batch <= 2 and height == 64 and width == 64 for batch, _, height, width in shapes)
    assert sum(shape[0] for shape in shapes) == 3 * 5
    assert found["boxes"][:, 0].max() > 64
    corners = box_to_corners(found["boxes"])
    assert torch.isfinite(corners).all()


def test_no_images_are_no_detections() -> None:
    assert make_module().eval().detect([]) == []


def test_every_option_is_documented_once() -> None:
    documented = f"{DetectorConfig.__doc__}\n{LarsdConfig.__doc__}"
    for part in fields(LarsdConfig):
        assert part.name.startswith("_") or documented.count(f"\n        {part.name}: ") == 1


def test_schema_needs_no_torch() -> None:
    code = "import sys, retable.papers.larsd.schema; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_metric_has_unit_and_direction(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    module = make_module()
    with caplog.at_level(logging.INFO):
        trainer = make_trainer(tmp_path)
        trainer.fit(module, datamodule=Ships())
    assert "anchors (width, height) of each level" in caplog.text
    logged = {name.split("/")[1] for name in trainer.callback_metrics if name.startswith("val/")}
    assert logged | {"image_seconds"} == set(module.metric_info), "a test alone has the time for an image"
    assert module.monitor in trainer.callback_metrics
