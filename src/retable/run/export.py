"""A run's network as a program of torch.export, which needs neither Retable nor Lightning."""

import json
import logging
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from retable import sparing
from retable.errors import ConfigError, StorageError
from retable.files import write_atomically, write_text
from retable.run.predict import load_run

log = logging.getLogger(__name__)

_TOLERANCE = 1e-4  # of the largest output: the program may add in another order


def export(config: DictConfig) -> None:
    """Writes the network of a run and a description beside it, after comparing the two on an example.

    The model brings ``example_input()``, a tensor (B, ...) that its `network` takes in evaluation.

    Raises:
        ConfigError: There is no run in the folder, or its network cannot be exported.
        CheckpointError: Its checkpoint is missing, damaged or of another model.
        StorageError: The output cannot be written.
    """
    sparing.compiler()
    folder, output = Path(config.run).expanduser(), Path(config.output).expanduser()
    model, checkpoint = load_run(folder, config.checkpoint.name)
    if not hasattr(model, "example_input"):
        raise ConfigError(f"run: a {type(model).__name__} has no network that could be exported")
    network: nn.Module = model.network.eval()
    example: Tensor = model.example_input()
    with torch.no_grad():
        wanted = _tensors(network(example))
        batch = torch.export.Dim("batch", min=1, max=1024)
        try:
            program = torch.export.export(network, (example,), dynamic_shapes=({0: batch},))
        except Exception as error:  # torch.export has no class of its own for what it cannot trace
            raise ConfigError(f"run: the network cannot be exported ({str(error).splitlines()[0]})") from error
        found = _tensors(program.module()(example))
    difference = max(
        float((a - b).abs().max() / a.abs().max().clamp(min=1e-6)) for a, b in zip(wanted, found, strict=True)
    )
    if not difference <= _TOLERANCE:
        raise ConfigError(f"run: the exported network differs from the trained one by {difference:.1g}")
    about = {
        "run": str(folder),
        "checkpoint": checkpoint.name,
        "input": ["batch", *example.shape[1:]],
        "outputs": [["batch", *tensor.shape[1:]] for tensor in wanted],
        "largest_relative_difference": difference,
        "torch": torch.__version__,
    }
    try:
        write_atomically(output, lambda temporary: torch.export.save(program, temporary))
        write_text(output.with_suffix(".json"), json.dumps(about, indent=1) + "\n")
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError of its zip writer
        raise StorageError(f"cannot write {output}: {str(error).splitlines()[0]}") from error
    log.info("%s, %.1f MB", output, output.stat().st_size / 1e6)


def _tensors(outputs: Any) -> list[Tensor]:
    return [leaf for leaf in pytree.tree_leaves(outputs) if isinstance(leaf, Tensor)]
