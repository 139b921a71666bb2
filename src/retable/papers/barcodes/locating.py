"""The localiser of another run, which finds the symbols of photos."""

from __future__ import annotations

from pathlib import Path

import torch

from retable.errors import ConfigError
from retable.papers.barcodes.reading import Locate
from retable.run.predict import load_run


def load_localiser(folder: str, device: torch.device, key: str = "localiser") -> tuple[Locate, dict[str, str]]:
    """Builds the localiser of a run, with the checks that every stored configuration goes through.

    Args:
        folder: The run's folder.
        device: Where it is to work.
        key: The word of the command line that names it, for messages.

    Returns:
        What finds symbols, and what is to be told of it in results.

    Raises:
        ConfigError: The folder is no run, or its model finds no symbols.
        CheckpointError: Its checkpoint is missing, damaged or of another model.
    """
    model, path = load_run(Path(folder).expanduser(), key=key)
    if not hasattr(model, "locate"):
        raise ConfigError(
            f"{key}: the model of {folder} is a {type(model).__name__}, which finds no barcodes; give the run of "
            "model=barcode_unet"
        )
    model.to(device)
    return lambda image: [found.corners for found in model.locate(image)[0]], {"run": folder, "checkpoint": path.name}
