"""Feature maps of ImageNet classifiers, {C2, C3, C4, C5} or some of them, through timm."""

from __future__ import annotations

import difflib
import hashlib
import logging
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from retable.errors import CheckpointError, ConfigError
from retable.files import write_atomically

log = logging.getLogger(__name__)

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
STRIDES = (4, 8, 16, 32)

# A machine without network has to go on within seconds; the download itself may take as long as it needs.
_PROBE_SECONDS = 4.0


class PublishedNetwork(nn.Module):
    """A network around a published one, with the normalisation of the images inside.

    The weights start at random; `load_weights` brings others. Kept apart from the constructor, so that a network
    which is about to receive a checkpoint never asks for a download.

    Args:
        name: Of the published network, in timm.
        mean: Of the images that it was trained on, in [0, 1], of red, green and blue.
        std: Their standard deviation, likewise.
        source: Address of its weights where timm does not know them.

    Attributes:
        body: The published network, which a subclass brings.
        weights_origin: Where its weights began: ``scratch``, ``imagenet:<timm's name>`` or ``file:<path>
            sha256:<digest>``.
    """

    body: Any
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        name: str,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        source: str | None = None,
    ) -> None:
        super().__init__()
        self.name, self.weights_origin, self._source = name, "scratch", source
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)

    def normalised(self, images: Tensor) -> Tensor:
        """Returns images (B, 3, H, W) in [0, 1] as the published network takes them."""
        return (images - self.mean) / self.std

    def load_weights(self, weights: str) -> None:
        """Brings it to its starting weights (see `load_starting_weights`)."""
        self.weights_origin = load_starting_weights(self.body, self.name, weights, self._source)


class Backbone(PublishedNetwork):
    """Convolutional backbone that returns feature maps.

    Args:
        name: A timm architecture with features at these strides: ``resnet18``, ``resnet50``, ``resnet101``, ...
        width: Factor of a ResNet's stage widths; 1 is the published network.
        strides: Strides of the maps, finest first. The network is cut after the last of them.

    Attributes:
        channels: Channels of the maps.

    Raises:
        ConfigError: timm has no such architecture, or it has other strides.
    """

    def __init__(self, name: str, width: float = 1.0, strides: Sequence[int] = STRIDES) -> None:
        super().__init__(name)
        timm = timm_with(name, "model.backbone")
        options: dict[str, Any] = (
            {} if width == 1 else {"channels": tuple(max(1, round(width * c)) for c in (64, 128, 256, 512))}
        )
        try:
            if strides[-1] != STRIDES[-1]:
                with torch.device("meta"):  # only to be asked
                    whole = timm.create_model(name, pretrained=False, features_only=True).feature_info.reduction()
                options["out_indices"] = tuple(i for i, stride in enumerate(whole) if stride <= strides[-1])
            self.body = timm.create_model(name, pretrained=False, features_only=True, **options)
        except (RuntimeError, ValueError, TypeError, AttributeError) as error:
            narrow = "" if width == 1 else f" at model.backbone_width={width}"
            raise ConfigError(f"model.backbone: {name} gives no feature maps{narrow} ({first_line(error)})") from error
        reductions = list(self.body.feature_info.reduction())
        if any(stride not in reductions for stride in strides):
            needed = " and ".join(filter(None, [", ".join(map(str, strides[:-1])), str(strides[-1])]))
            raise ConfigError(f"model.backbone: {name} has strides {reductions}, but {needed} are needed")
        # the last map of each stride is the deepest one; a map at stride 2 is left out
        self._taken = [max(i for i, r in enumerate(reductions) if r == stride) for stride in strides]
        self.channels: list[int] = [self.body.feature_info.channels()[i] for i in self._taken]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Computes the feature maps.

        Args:
            images: (B, 3, H, W) in [0, 1], H and W multiples of the largest stride.

        Returns:
            (B, C, H / stride, W / stride) for each stride: C2, C3, C4 and C5 of 4, 8, 16 and 32.
        """
        maps = self.body(self.normalised(images))
        return [maps[i] for i in self._taken]


def load_starting_weights(body: nn.Module, name: str, weights: str, source: str | None = None) -> str:
    """Brings a network to its starting weights.

    Args:
        body: The network; what it lacks of the published one, such as its last layer, is left out.
        name: Its name, in timm where no source is given.
        weights: ``imagenet`` (timm's default ones; from scratch with a warning where they cannot be had), ``none``
            (from scratch), or the path of a state dict of the classifier, or of a network that holds it as ``body``
            (``.safetensors``, or a torch file that loads with ``weights_only=True``).
        source: Address of the weights that ``imagenet`` means; None: timm's.

    Returns:
        Their origin: ``scratch``, ``imagenet:<timm's name>`` or ``file:<path> sha256:<digest>``.

    Raises:
        CheckpointError: The file is missing, damaged or of another network.
    """
    if weights == "none":
        log.info("%s starts from scratch, as model.weights=none asks", name)
        return "scratch"
    if weights == "imagenet":
        if source is None:
            cfg = import_timm().get_pretrained_cfg(name)
            source = None if cfg is None else cfg.hf_hub_id or cfg.url
        path = None if source is None else _download(source)
        if path is None:
            log.warning(
                "ImageNet weights of %s cannot be had (no network, or no such file): training from scratch. "
                "Give local ones with model.weights=FILE",
                name,
            )
            return "scratch"
        origin = f"imagenet:{source}"
    else:
        path = Path(weights).expanduser()
        origin = ""
    _load_file(body, name, path)
    origin = origin or f"file:{path} sha256:{sha256(path)}"
    log.info("%s starts from %s", name, origin)
    return origin


def load_weights_alike(network: Any, weights: str, strategy: Any) -> None:
    """Loads starting weights so that all processes start alike, whether or not the first one could download.

    Args:
        network: Has ``load_weights`` and ``weights_origin``, as `Backbone` has.
        weights: As of `load_starting_weights`.
        strategy: The trainer's, which knows the processes.

    Raises:
        CheckpointError: A file cannot be used, or a process lacks what the first one has.
    """
    if strategy.global_rank == 0 or weights != "imagenet":
        network.load_weights(weights)
    origin = strategy.broadcast(network.weights_origin)
    if strategy.global_rank > 0 and weights == "imagenet" and origin != "scratch":
        network.load_weights(weights)  # from the cache that the first process filled
    if network.weights_origin != origin:
        raise CheckpointError(
            f"process {strategy.global_rank} cannot get the weights {origin}: give model.weights=FILE"
        )


def _load_file(body: nn.Module, name: str, path: Path) -> None:
    state = {key.removeprefix("module."): value for key, value in _read_state(path).items()}
    wanted = body.state_dict()
    if not any(key in state for key in wanted):  # saved from a network around it, or from a whole detector
        marker = "body."
        state = {key.split(marker, 1)[1]: value for key, value in state.items() if marker in key}
    for key, tensor in wanted.items():
        if key.endswith("num_batches_tracked"):  # files of old torch versions lack it
            state.setdefault(key, tensor)
        if key not in state:
            raise CheckpointError(f"{path}: does not fit {name}: {key} is not in it")
        if state[key].shape != tensor.shape:
            raise CheckpointError(
                f"{path}: does not fit {name}: {key} has shape {tuple(state[key].shape)}, "
                f"{tuple(tensor.shape)} is needed"
            )
    body.load_state_dict({key: state[key] for key in wanted})


def import_timm() -> Any:
    """Imports timm without wandb, which timm tries to import for a helper that nobody here calls.

    wandb alone takes as long to import as the rest of timm, and a run with ``logger=none`` must not import it.

    Returns:
        The module `timm`.
    """
    with _hidden("wandb"):
        import timm
    return timm


def timm_with(name: str, key: str) -> Any:
    """Imports timm (see `import_timm`), which must have this architecture.

    Args:
        name: The architecture.
        key: The option that names it, for the message.

    Returns:
        The module `timm`.

    Raises:
        ConfigError: It has none of this name; the message gives the nearest.
    """
    timm = import_timm()
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=3) or ["resnet18", "resnet50", "vgg16"]
        raise ConfigError(f"{key}: timm has no {name!r}; try {', '.join(near)}")
    return timm


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Makes ``import name`` fail as if it were not installed, unless it is imported already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # Python's own mark for "cannot be imported"
    try:
        yield
    finally:
        del sys.modules[name]


def _read_state(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such weights file (model.weights)")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # each reader has its own exceptions for a damaged file
        raise CheckpointError(f"{path}: not a readable weights file ({first_line(error)})") from error
    for key in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict):
        raise CheckpointError(f"{path}: holds no state dict")
    return {str(key): value for key, value in state.items() if isinstance(value, Tensor)}


def _download(source: str) -> Path | None:
    """Path of the weights of a hub's repository or at an address, from the cache or downloaded; None without them."""
    if "://" in source:
        return download_address(source)
    return _download_repository(source)


def download_address(address: str) -> Path | None:
    """Fetches a file of weights into torch's cache, once; None, after seconds, where it cannot be had."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / address.rsplit("/", 1)[1]
    if not path.exists():
        if not _answers(address):
            return None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, lambda temporary: torch.hub.download_url_to_file(address, str(temporary)))
        except Exception as error:  # as below
            log.warning("downloading %s failed: %s", address, first_line(error))
            return None
    return path


def _download_repository(repository: str) -> Path | None:
    import huggingface_hub
    from huggingface_hub import constants

    name = "model.safetensors"
    cached = huggingface_hub.try_to_load_from_cache(repository, name)
    if isinstance(cached, str):
        return Path(cached)
    if constants.HF_HUB_OFFLINE or not _answers(constants.ENDPOINT):
        return None
    try:
        return Path(huggingface_hub.hf_hub_download(repository, name, etag_timeout=_PROBE_SECONDS))
    except Exception as error:  # network, proxy, disk: none of them is worth a run that can start from scratch
        log.warning("downloading %s failed: %s", repository, first_line(error))
        return None


def _answers(address: str) -> bool:
    """Tells within seconds whether a server answers at all; name resolution has no time-out of its own."""
    answered = threading.Event()

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=_PROBE_SECONDS):
                answered.set()
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (403, 407):  # those are a proxy that lets nothing through
                answered.set()
        except (OSError, ValueError):
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_PROBE_SECONDS)
    return answered.is_set()


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def first_line(error: BaseException) -> str:
    """Returns what an error says, up to its first line's end; its class where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]
