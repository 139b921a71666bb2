"""Detector of cars in pictures: torchvision's Mask R-CNN with weights of COCO."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from retable.errors import CheckpointError, ConfigError
from retable.nn.backbones import download_address, first_line, sha256
from retable.papers.cars.cityscapes.cutting import Image
from retable.papers.cars.cityscapes.process_image import Detection
from retable.papers.cars.cityscapes.schema import MaskRCNNConfig

log = logging.getLogger(__name__)

_COCO_LABELS = 91  # COCO's ids, those without objects included
_CAR = 3
_PUBLISHED_EPSILON = 0.0  # of the batch normalisation with which the published weights were trained


class MaskRCNN:
    """torchvision's Mask R-CNN with ResNet-50 and FPN (section 3.1 of the essay).

    Its boxes and confidences are used. The masks that it predicts are not, and are not computed.

    Args:
        config: The sizes of pictures and batches.
        weights: A state dict of ``maskrcnn_resnet50_fpn`` with the 91 labels of COCO.
        accelerator: auto, cpu or gpu.

    Raises:
        ConfigError: There is no such accelerator here.
        CheckpointError: The weights are missing, damaged, or of another network.
    """

    def __init__(self, config: MaskRCNNConfig, weights: Path, accelerator: str) -> None:
        from torchvision.models.detection import MaskRCNN as Network  # type: ignore[import-untyped]
        from torchvision.models.detection.backbone_utils import resnet_fpn_backbone  # type: ignore[import-untyped]
        from torchvision.ops import FrozenBatchNorm2d  # type: ignore[import-untyped]

        # processes share the cores; and with one thread sums are rounded alike, however many processes there are
        torch.set_num_threads(1)
        self.device = choose_device(accelerator)
        self.batch_size = config.batch_size or (8 if self.device.type == "cuda" else 1)
        state = _read(weights)
        with torch.device("meta"):  # spares the time of weights that are replaced at once
            backbone = resnet_fpn_backbone(backbone_name="resnet50", weights=None)
        self.settings = {"min_size": config.min_size, "max_size": config.max_size}
        network: Any = Network(backbone, num_classes=_COCO_LABELS, **self.settings)
        _check(network, state, weights)
        network.load_state_dict(state, assign=True)
        if _is_published(weights):
            for module in network.modules():
                if isinstance(module, FrozenBatchNorm2d):
                    module.eps = _PUBLISHED_EPSILON
        network.roi_heads.mask_roi_pool = None
        self.network = network.eval().to(self.device)

    @torch.inference_mode()
    def detect(self, images: Sequence[Image]) -> list[Detection | None]:
        """Finds the most certain car of each image (H, W, 3) uint8 RGB, or None."""
        batch = [torch.from_numpy(image).to(self.device).permute(2, 0, 1).float() / 255 for image in images]
        return [_best_car(found) for found in self.network(batch)]


def _best_car(found: dict[str, torch.Tensor]) -> Detection | None:
    cars = found["labels"] == _CAR
    if not bool(cars.any()):
        return None
    confidences, boxes = found["scores"][cars].cpu(), found["boxes"][cars].cpu()
    best = int(confidences.argmax())
    left, top, right, bottom = boxes[best].tolist()
    return Detection(float(confidences[best]), (left, top, right, bottom))


def choose_device(accelerator: str) -> torch.device:
    """Finds the device that auto, cpu or gpu means here.

    Raises:
        ConfigError: There is no GPU.
    """
    if accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError("accelerator: there is no GPU here; use accelerator=cpu")
    return torch.device("cuda" if accelerator != "cpu" and torch.cuda.is_available() else "cpu")


def find_weights(weights: str) -> Path | None:
    """Finds the file of weights that a user means.

    Args:
        weights: ``coco`` for the published ones, from the cache or downloaded; ``none``; or a file.

    Returns:
        The file, or None where there is to be no detector, or where the download failed.

    Raises:
        CheckpointError: There is no such file, or it is not what its name says.
    """
    if weights == "none":
        return None
    if weights == "coco":
        from torchvision.models.detection import MaskRCNN_ResNet50_FPN_Weights

        path = download_address(MaskRCNN_ResNet50_FPN_Weights.COCO_V1.url)
        if path is None:
            return None
    else:
        path = Path(weights).expanduser()
    if not path.is_file():
        raise CheckpointError(f"weights: there is no file {path}; give coco, none or a file")
    wanted = _named_digest(path)
    if wanted and not (digest := sha256(path)).startswith(wanted):
        raise CheckpointError(
            f"{path}: damaged, its SHA-256 begins with {digest[: len(wanted)]} and not with {wanted} as its name "
            "says; delete it and fetch it again"
        )
    return path


def _named_digest(path: Path) -> str:
    """Reads the beginning of the digest that torchvision puts into the names of its files, or nothing."""
    found = re.search(r"-([0-9a-f]{8,})\.pth$", path.name)
    return found.group(1) if found else ""


def _is_published(path: Path) -> bool:
    from torchvision.models.detection import MaskRCNN_ResNet50_FPN_Weights

    return sha256(path).startswith(_named_digest(Path(MaskRCNN_ResNet50_FPN_Weights.COCO_V1.url)))


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file raises what its first wrong byte leads to
        raise CheckpointError(
            f"{path}: not a readable file of weights ({first_line(error)}); fetch it again"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise CheckpointError(f"{path}: not a state dict of maskrcnn_resnet50_fpn")
    # frozen batch normalisation has no such counter, whose value nothing depends on
    return {str(name): value for name, value in state.items() if not str(name).endswith("num_batches_tracked")}


def _check(network: torch.nn.Module, state: dict[str, torch.Tensor], path: Path) -> None:
    wanted = network.state_dict()
    for name, tensor in wanted.items():
        if name not in state:
            raise CheckpointError(f"{path}: of another network: {name} is not in it; maskrcnn_resnet50_fpn is needed")
        if state[name].shape != tensor.shape:
            raise CheckpointError(
                f"{path}: of another network: {name} has shape {tuple(state[name].shape)}, {tuple(tensor.shape)} is "
                "needed; maskrcnn_resnet50_fpn with the 91 labels of COCO"
            )
    extra = [name for name in state if name not in wanted]
    if extra:
        raise CheckpointError(f"{path}: of another network: it also holds {extra[0]}; maskrcnn_resnet50_fpn is needed")
