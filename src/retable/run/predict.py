"""Using what a run trained: its model and weights, on a user's own input."""

import logging
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import torch
from omegaconf import DictConfig, OmegaConf

from retable.errors import CheckpointError, ConfigError
from retable.run import checkpoints, paths
from retable.run.build import build, build_options
from retable.run.buildable import check_buildable
from retable.run.configuration import nearest

log = logging.getLogger(__name__)


def predict(config: DictConfig) -> None:
    """Loads the model of a run and lets it predict.

    What prediction means is the model's own matter. It brings ``prediction_options``, the dataclass of the options that
    it takes (its ``elsewhere``, if any, says what to do with options of other models, by name), and
    ``predict_to(output, options, data, about)``, which is given such a dataclass, the data configuration of the run,
    and what is to be told of the run in the results.

    Raises:
        ConfigError: There is no run in the folder, its model predicts nothing, or has no such option.
        CheckpointError: Its checkpoint is missing, damaged or of another model.
        DataError: The input cannot be read.
        StorageError: The output cannot be written.
    """
    folder = Path(config.run).expanduser()
    model, path = load_run(folder, config.checkpoint.name)
    if not hasattr(model, "predict_to"):
        raise ConfigError(f"run: the model of {folder} predicts nothing")
    options = _options(type(model), config.options)
    model.to(_device(config.accelerator))
    with torch.inference_mode():
        model.predict_to(
            output=Path(config.output).expanduser(),
            options=options,
            data=stored_config(folder).data,
            about={"run": str(folder), "checkpoint": path.name},
        )


def _options(kind: Any, given: DictConfig) -> Any:
    known = [part.name for part in fields(kind.prediction_options)]
    for key in map(str, given):
        if key not in known:
            near = nearest(key, known)
            hint = f"did you mean {near}?" if near else f"its options are {', '.join(known)}"
            hint = getattr(kind.prediction_options, "elsewhere", {}).get(key, hint)
            raise ConfigError(f"{key}: {kind.__name__} has no such option of prediction; {hint}")
    return build_options(given, kind.prediction_options)


def stored_config(folder: Path, key: str = "run") -> DictConfig:
    """The resolved configuration that a run kept, of which all may be built.

    Args:
        folder: The run's folder.
        key: The word of the command line that names it, for messages.

    Raises:
        ConfigError: There is no run in the folder, its configuration is damaged, or names what is not to be built.
    """
    config = read_config(folder, key)
    check_buildable(cast(dict[str, Any], OmegaConf.to_container(config)), folder / paths.CONFIG)
    return config


def read_config(folder: Path, key: str = "run") -> DictConfig:
    """The same, to compare with; whatever it names is not looked at.

    Raises:
        ConfigError: There is no run in the folder, or its configuration is damaged.
    """
    path = folder / paths.CONFIG
    if not path.is_file():
        raise ConfigError(f"{key}: {folder} is not the folder of a run, it has no {paths.CONFIG}")
    try:
        config = OmegaConf.load(path)
    except Exception as error:  # PyYAML raises a family of its own
        raise ConfigError(f"{path}: damaged ({str(error).splitlines()[0]})") from error
    if not isinstance(config, DictConfig) or "model" not in config or "data" not in config:
        raise ConfigError(f"{path}: not the configuration of a run")
    return config


def checkpoint_of(folder: Path, checkpoint: str) -> Path:
    """Returns a checkpoint of a run: ``best``, or ``last``, which serves where there is no best.

    Raises:
        CheckpointError: The run has none.
    """
    path = folder / paths.CHECKPOINTS / (paths.BEST if checkpoint == "best" else paths.LAST)
    if not path.exists() and checkpoint == "best":
        path = folder / paths.CHECKPOINTS / paths.LAST
    if not path.exists():
        raise CheckpointError(f"{folder}: the run has no checkpoint yet")
    return path


def load_run(folder: Path, checkpoint: str = "best", key: str = "run") -> tuple[Any, Path]:
    """Builds the model of a run with its trained weights, on the CPU, in evaluation mode.

    Args:
        folder: The run's folder.
        checkpoint: As of `checkpoint_of`.
        key: As of `stored_config`.

    Returns:
        The LightningModule and the checkpoint that was loaded.

    Raises:
        ConfigError: There is no run in the folder.
        CheckpointError: The checkpoint is missing, damaged or of another model.
    """
    config = stored_config(folder, key)
    path = checkpoint_of(folder, checkpoint)
    if not (folder / paths.RECORD).exists():
        log.warning("%s is not finished: its %s checkpoint is used as it is", folder, path.stem)
    return build_trained(config, path).eval(), path


def build_trained(config: DictConfig, checkpoint: Path) -> Any:
    """Builds the model of a run's configuration, which stays as it is, with the weights of a checkpoint.

    Raises:
        ConfigError: It cannot be built.
        CheckpointError: The checkpoint is missing, damaged or of another model.
    """
    options = OmegaConf.to_container(config.model, resolve=True)
    assert isinstance(options, dict)
    if "weights" in options:
        options["weights"] = "none"  # the checkpoint brings them all
    model = build(OmegaConf.create({"model": options}).model)
    checkpoints.load_into(model, checkpoint)
    return model


def _device(accelerator: str) -> torch.device:
    if accelerator == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if accelerator in ("gpu", "cuda"):
        if not torch.cuda.is_available():
            raise ConfigError("accelerator: there is no GPU here; use accelerator=cpu")
        return torch.device("cuda")
    if accelerator == "cpu":
        return torch.device("cpu")
    raise ConfigError(f"accelerator: {accelerator!r} is not one of auto, cpu, gpu")
