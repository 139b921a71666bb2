"""torchvision's Mask R-CNN with random weights, and weights that are not its own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from retable.errors import CheckpointError, ConfigError
from retable.nn.backbones import sha256
from retable.papers.cars.cityscapes import detector as module
from retable.papers.cars.cityscapes.detector import MaskRCNN, choose_device, find_weights
from retable.papers.cars.cityscapes.schema import MaskRCNNConfig


def _network() -> Any:
    """torchvision's own, for small images."""
    from torchvision.models.detection import maskrcnn_resnet50_fpn

    torch.manual_seed(0)
    # few detections: the masks, which our detector leaves out, take most of the time
    sizes = {"min_size": 48, "max_size": 96, "box_detections_per_img": 6}
    return maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=91, **sizes).eval()


@pytest.fixture(scope="module")
def network() -> Any:
    network = _network()
    with torch.no_grad():
        # random weights are sure of nothing: these are sure of cars, and a bit less of trucks
        network.roi_heads.box_predictor.cls_score.weight *= 0.05
        network.roi_heads.box_predictor.cls_score.bias[[3, 8]] = torch.tensor([9.0, 7.0])
    return network


@pytest.fixture(scope="module")
def weights(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "weights.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def detector(weights: Path) -> MaskRCNN:
    return MaskRCNN(MaskRCNNConfig(min_size=48, max_size=96), weights, "cpu")


def _image(seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (48, 96, 3), dtype=np.uint8)


def test_finds_the_car_that_torchvision_finds(network: Any, detector: MaskRCNN) -> None:
    images = [_image(0), _image(1)]
    with torch.inference_mode():
        expected = network([torch.from_numpy(image).permute(2, 0, 1) / 255 for image in images])
    assert "masks" in expected[0]
    for found, all_of_it in zip(detector.detect(images), expected, strict=True):
        first = int((all_of_it["labels"] == 3).nonzero()[0])  # torchvision sorts by score
        assert found is not None
        assert found.confidence == pytest.approx(float(all_of_it["scores"][first]), abs=1e-4)
        assert found.box == pytest.approx(all_of_it["boxes"][first].tolist(), abs=1e-2)


def test_a_picture_of_a_truck_alone_has_no_car(detector: MaskRCNN) -> None:
    with torch.no_grad():
        bias = detector.network.roi_heads.box_predictor.cls_score.bias
        kept = bias[3].item()
        bias[3] = -20
        try:
            assert detector.detect([_image(0)]) == [None]
            # there are trucks all the same
            assert set(detector.network([torch.zeros(3, 48, 96)])[0]["labels"].tolist()) == {8}
        finally:
            bias[3] = kept


def test_published_weights_get_their_epsilon(
    weights: Path, detector: MaskRCNN, monkeypatch: pytest.MonkeyPatch
) -> None:
    def epsilons(one: MaskRCNN) -> set[float]:
        return {layer.eps for layer in one.network.modules() if type(layer).__name__ == "FrozenBatchNorm2d"}

    assert epsilons(detector) == {1e-5}
    monkeypatch.setattr(module, "_is_published", lambda path: True)
    assert epsilons(MaskRCNN(MaskRCNNConfig(), weights, "cpu")) == {0.0}


def test_weights_of_another_network_are_told(network: Any, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match=r"of another network: backbone\S+ is not in it"):
        MaskRCNN(MaskRCNNConfig(), path, "cpu")
    state = dict(network.state_dict())
    small = {name: tensor[:2].clone() if "cls_score" in name else tensor for name, tensor in state.items()}
    with pytest.raises(CheckpointError, match=r"cls_score\.weight has shape \(2, 1024\), \(91, 1024\) is needed"):
        module._check(network, small, path)
    with pytest.raises(CheckpointError, match="it also holds b"):
        module._check(network, {**state, "b": torch.zeros(1)}, path)


@pytest.mark.parametrize("content", ["text", "half", "list", "code"])
def test_files_that_hold_no_weights_are_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"list": [1, 2], "code": Path("x")}.get(content, {"a": torch.zeros(1000)}), path)
    if content == "text":
        path.write_text("no weights")
    elif content == "half":
        path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(CheckpointError, match=str(path)):
        module._read(path)


def test_a_name_with_a_digest_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth"
    path.write_bytes(b"not these")
    with pytest.raises(CheckpointError, match=r"damaged, its SHA-256 begins with [0-9a-f]{8} and not with bf2d0c1e"):
        find_weights(str(path))
    digest = sha256(path)
    right = path.rename(tmp_path / f"mine-{digest[:8]}.pth")
    assert find_weights(str(right)) == right


def test_words_for_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_weights("none") is None
    asked: list[str] = []

    def download(address: str) -> None:
        asked.append(address)

    monkeypatch.setattr(module, "download_address", download)
    assert find_weights("coco") is None
    assert asked == ["https://download.pytorch.org/models/maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth"]
    with pytest.raises(CheckpointError, match=r"weights: there is no file .*absent\.pth"):
        find_weights(str(tmp_path / "absent.pth"))


def test_words_for_accelerators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto").type == choose_device("cpu").type == "cpu"
    with pytest.raises(ConfigError, match="there is no GPU here"):
        choose_device("gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == choose_device("gpu").type == "cuda"
