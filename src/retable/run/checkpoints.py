"""Checkpoints: written all or nothing, read without running the code that may be in them."""

import pickle
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.plugins.io import TorchCheckpointIO

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
        except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError of its zip writer
            raise StorageError(f"cannot write the checkpoint {path}: {str(error).splitlines()[0]}") from error

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
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: not a plain checkpoint; it is damaged or holds objects that are refused for safety"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise CheckpointError(f"{path}: damaged or no checkpoint ({str(error).splitlines()[0]})") from error
    if not isinstance(checkpoint, dict) or "state_dict" not in checkpoint:
        raise CheckpointError(f"{path}: no checkpoint of a run, it has no state_dict")
    return checkpoint


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
    weights = checkpoint["state_dict"]
    wanted = model.state_dict()
    for name, tensor in wanted.items():
        if name not in weights:
            raise CheckpointError(f"{path}: from another model: {name} is not in it")
        if weights[name].shape != tensor.shape and tensor.numel():  # what is empty so far takes the size it gets
            raise CheckpointError(
                f"{path}: from another model: {name} has shape {tuple(weights[name].shape)}, "
                f"{tuple(tensor.shape)} is needed"
            )
    extra = [name for name in weights if name not in wanted]
    if extra:
        raise CheckpointError(f"{path}: from another model: it also holds {extra[0]}")
    model.on_load_checkpoint(checkpoint)
    model.load_state_dict(weights)
