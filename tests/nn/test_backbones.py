import logging
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from retable.errors import CheckpointError, ConfigError
from retable.nn import backbones
from retable.nn.backbones import IMAGENET_MEAN, IMAGENET_STD, Backbone


@pytest.fixture
def backbone() -> Backbone:
    torch.manual_seed(0)
    return Backbone("test_resnet").eval()


def test_maps_have_strides_4_8_16_and_32(backbone: Backbone) -> None:
    maps = backbone(torch.rand(2, 3, 64, 96))
    assert [tuple(level.shape) for level in maps] == [
        (2, channels, 64 // stride, 96 // stride)
        for channels, stride in zip(backbone.channels, (4, 8, 16, 32), strict=True)
    ]


def test_resnet18_has_the_channels_of_the_paper_of_resnets() -> None:
    assert Backbone("resnet18").channels == [64, 128, 256, 512]


def test_normalisation_is_inside(backbone: Backbone) -> None:
    image = torch.rand(1, 3, 64, 64)
    normalised = (image - torch.tensor(IMAGENET_MEAN).view(3, 1, 1)) / torch.tensor(IMAGENET_STD).view(3, 1, 1)
    torch.testing.assert_close(backbone(image)[0], backbone.body(normalised)[1])


def test_normalisation_is_no_part_of_the_state_dict(backbone: Backbone) -> None:
    assert all(key.startswith("body.") for key in backbone.state_dict())


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s}, lambda s: {"model": s}])
def test_weights_from_a_file(backbone: Backbone, tmp_path: Path, wrap: object) -> None:
    path = tmp_path / "weights.pth"
    state = {f"module.{key}": value for key, value in backbone.body.state_dict().items()}
    state["module.fc.weight"] = torch.zeros(3, 3)  # what a classifier has beside
    torch.save(wrap(state), path)  # type: ignore[operator]
    other = Backbone("test_resnet").eval()
    image = torch.rand(1, 3, 64, 64)
    assert not torch.equal(other(image)[3], backbone(image)[3])
    other.load_weights(str(path))
    assert torch.equal(other(image)[3], backbone(image)[3])
    name, digest = other.weights_origin.split(" sha256:")
    assert name == f"file:{path}"
    assert len(digest) == 64


def test_weights_from_a_whole_detector(backbone: Backbone, tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    state = {f"network.backbone.{key}": value for key, value in backbone.state_dict().items()}
    torch.save({"state_dict": {**state, "network.head.weight": torch.zeros(2)}}, path)
    other = Backbone("test_resnet").eval()
    other.load_weights(str(path))
    image = torch.rand(1, 3, 64, 64)
    assert torch.equal(other(image)[3], backbone(image)[3])


def test_missing_file_is_a_checkpoint_error(backbone: Backbone, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nothing\.pth: there is no such weights file"):
        backbone.load_weights(str(tmp_path / "nothing.pth"))


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_damaged_file_is_a_checkpoint_error(backbone: Backbone, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no weights at all")
    with pytest.raises(CheckpointError, match="not a readable weights file"):
        backbone.load_weights(str(tmp_path / name))


def test_file_with_code_is_refused(backbone: Backbone, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": backbones.Path("x")}, path)
    with pytest.raises(CheckpointError, match="not a readable weights file"):
        backbone.load_weights(str(path))


def test_file_of_another_network_names_the_weight(backbone: Backbone, tmp_path: Path) -> None:
    state = backbone.body.state_dict()
    torch.save({**state, "conv1.0.weight": torch.zeros(1, 2)}, tmp_path / "shape.pth")
    with pytest.raises(CheckpointError, match=r"conv1\.0\.weight has shape \(1, 2\), \(.*\) is needed"):
        backbone.load_weights(str(tmp_path / "shape.pth"))
    del state["conv1.0.weight"]
    torch.save(state, tmp_path / "missing.pth")
    with pytest.raises(CheckpointError, match=r"does not fit test_resnet: conv1\.0\.weight is not in it"):
        backbone.load_weights(str(tmp_path / "missing.pth"))


def test_without_network_imagenet_falls_back_with_a_warning(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(backbones, "_answers", lambda _: False)
    with caplog.at_level(logging.WARNING):
        backbone.load_weights("imagenet")
    assert backbone.weights_origin == "scratch"
    assert "training from scratch" in caplog.text


def test_an_address_that_nobody_serves_is_told_within_seconds() -> None:
    assert not backbones._answers("http://127.0.0.1:9")


def test_unknown_backbone_names_near_ones() -> None:
    with pytest.raises(ConfigError, match=r"model\.backbone: timm has no 'resnett18'; try .*resnet18"):
        Backbone("resnett18")


def test_backbone_of_other_strides_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"model\.backbone: test_vit"):
        Backbone("test_vit")


@pytest.mark.slow
def test_building_a_backbone_does_not_import_wandb() -> None:
    code = (
        "import sys; from retable.nn.backbones import Backbone; Backbone('test_resnet');"
        "assert 'wandb' not in sys.modules; import wandb"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_backbone_is_cut_after_its_last_stride(backbone: Backbone, tmp_path: Path) -> None:
    torch.manual_seed(0)
    cut = Backbone("test_resnet", strides=(16,)).eval()
    assert cut.channels == backbone.channels[2:3]
    assert set(cut.state_dict()) < set(backbone.state_dict())
    torch.save(backbone.body.state_dict(), tmp_path / "weights.pth")
    cut.load_weights(str(tmp_path / "weights.pth"))
    image = torch.rand(1, 3, 64, 96)
    assert torch.equal(cut(image)[0], backbone(image)[2])
    assert cut(torch.rand(1, 3, 48, 80))[0].shape == (1, *cut.channels, 3, 5)
