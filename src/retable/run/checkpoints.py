"""Checkpoints: written all or nothing, read without running the code that may be in them."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.plugins.io import TorchCheckpointIO
from torch import Tensor

from retable.errors import CheckpointError, StorageError
from retable.files import write_atomically


class AtomicCheckpointIO(TorchCheckpointIO):
    """Lightning's checkpoint files, but never half-written and always loaded with ``weights_only=True``."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Writes a checkpoint beside its place and moves it there.

        Raises:
            StorageError: It cannot be written, most often because the disk is full.
        """
        try:
            write_atomically(Path(path), lambda temporary: torch.save(checkpoint, temporary))
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or _first_line(error)
            raise StorageError(f"cannot write the checkpoint {path}: {reason}") from error

    def load_checkpoint(self, path: Any, map_location: Any = "cpu", weights_only: Any = True) -> dict[str, Any]:
        """Reads a checkpoint.

        Raises:
            CheckpointError: The file is missing, damaged, or holds more than weights and plain values.
        """
        return load(Path(path))


def load(path: Path) -> dict[str, Any]:
    """Reads a checkpoint onto the CPU with ``weights_only=True``.

    Args:
        path: A ``.ckpt`` file of a run.

    Returns:
        Lightning's checkpoint dict: ``state_dict``, ``epoch``, ``global_step`` and the rest.

    Raises:
        CheckpointError: The file is missing, damaged, or not a checkpoint of Lightning.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such checkpoint")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip() or next((part for part in archive.infolist() if part.external_attr), None)
            if damaged:  # torch looks at no checksum, and an attribute makes a folder of a file for it
                raise zipfile.BadZipFile(f"{damaged} does not fit its checksum")
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: not a plain checkpoint; it is damaged or holds objects that are refused for safety"
        ) from error
    except Exception as error:  # of a damaged file torch's reader raises about everything
        raise CheckpointError(f"{path}: damaged or no checkpoint ({_first_line(error)})") from error
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("state_dict"), dict):
        raise CheckpointError(f"{path}: no checkpoint of a run, it has no state_dict")
    for key in ("epoch", "global_step"):
        if type(checkpoint.get(key)) is not int:
            raise CheckpointError(f"{path}: no checkpoint of a run, it has no {key}")
    for key, kind in _PARTS.items():
        if key in checkpoint and not isinstance(checkpoint[key], kind):
            raise CheckpointError(f"{path}: damaged, its {key} are a {type(checkpoint[key]).__name__}")
    return checkpoint


_PARTS = {"loops": dict, "callbacks": dict, "optimizer_states": list, "lr_schedulers": list}
"""What Lightning keeps to go on with a training, and which type it has."""


def check_weights(model: LightningModule, checkpoint: dict[str, Any], path: Path) -> None:
    """Refuses weights that are not those of a model, or that are no usable numbers.

    Args:
        model: The LightningModule that the run's configuration builds.
        checkpoint: What `load` returned of the path.
        path: The file, for the message.

    Raises:
        CheckpointError: The message names the first such weight.
    """
    weights = checkpoint["state_dict"]
    wanted = model.state_dict()
    for name, tensor in wanted.items():
        if name not in weights:
            raise CheckpointError(f"{path}: from another model: {name} is not in it")
        if problem := _problem(weights[name], tensor):
            raise CheckpointError(f"{path}: {problem[0]}: {name} {problem[1]}")
    extra = [name for name in weights if name not in wanted]
    if extra:
        raise CheckpointError(f"{path}: from another model: it also holds {extra[0]}")


def _problem(found: Any, wanted: Tensor) -> tuple[str, str] | None:
    """What is wrong with a weight that is to take the place of another one, and of what it tells."""
    if not isinstance(found, Tensor) or found.layout is not torch.strided or found.is_meta or found.is_quantized:
        return "damaged", f"is no plain tensor but {_kind(found)}"
    if found.dtype != wanted.dtype and not (found.is_floating_point() and wanted.is_floating_point()):
        return "damaged", f"holds {found.dtype}, {wanted.dtype} is needed".replace("torch.", "")
    if found.shape != wanted.shape and (wanted.numel() or found.dim() != wanted.dim()):
        # what is empty so far takes the size it gets
        return "from another model", f"has shape {tuple(found.shape)}, {tuple(wanted.shape)} is needed"
    if not found.isfinite().all() and wanted.isfinite().all():
        return "the training has diverged, or it is damaged", "holds values that are not finite"
    return None


def _kind(value: Any) -> str:
    if isinstance(value, Tensor):
        return "without values" if value.is_meta else f"{'quantised' if value.is_quantized else value.layout}"
    return f"a {type(value).__name__}"


def load_into(model: LightningModule, path: Path) -> None:
    """Loads the weights of a checkpoint, and what the model keeps beside them, into a model.

    Args:
        model: The LightningModule that the run's configuration builds.
        path: A ``.ckpt`` file of a run of that configuration.

    Raises:
        CheckpointError: The file is missing or damaged, or its weights are of another model; the message names the
            first differing weight.
    """
    checkpoint = load(path)
    check_weights(model, checkpoint, path)
    try:
        model.on_load_checkpoint(checkpoint)
        model.load_state_dict(checkpoint["state_dict"])
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except Exception as error:  # what a model keeps beside its weights may be missing, or anything else
        raise CheckpointError(f"{path}: damaged ({type(error).__name__}: {_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
