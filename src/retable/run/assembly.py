"""What a training and a test are put together of, and what they leave in the record.

What a model (LightningModule) brings beside Lightning's own hooks:
    network: the plain ``nn.Module``; it is what ``compile=true`` compiles.
    monitor, monitor_mode: the logged metric that says which epoch is best, and ``max`` or ``min``.
    metric_info: unit and direction of each metric by its last name, such as ``{"ap50_voc07": ("fraction", "higher")}``.
    weights_origin: where the weights began: ``scratch``, ``imagenet:...``, ``file:...``.
    about: further facts for the record, as plain values; may be absent.
    example_input: a method that returns a tensor (B, ...) which `network` takes; without it there is no ``export.py``.
    inference_options, of its config dataclass: names of the options that act at inference only, which ``test.py`` and
        rows of tables that only evaluate may change; may be absent.
    image_results: a method that returns what the last test found in each image, as of `retable.metrics.image_results`,
        in the main process; a table's report then says what would hold on other images. Absent where no metric is one
        of images, such as a distance between many samples and many images.
What a callback (or the LightningModule) brings that draws:
    pictures: what it drew, in a dict: path relative to the run's folder, such as ``plots/mistakes.png``, to a short
        title; the one that tells most comes first: a table's report shows it. Filled by the end of the test.
What the data (LightningDataModule) brings:
    provenance: ``kind`` (real, synthetic or mixed), ``source``, ``fingerprint`` and the sizes of the splits, as plain
        values, after ``setup``.
    first_epoch: the epoch that training begins with; set here for a resumed run before the loaders are made.
    test_name: the split that is tested and names the metrics: ``test``, or ``val`` where no test split exists.
    roles: the splits that are read and checked, set before anything of them is asked for: ``test.py`` leaves the tested
        one.
    classes: names of the labels 0, 1, and so on, where there are any.
"""

import logging
import math
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback

from retable.errors import ConfigError
from retable.metrics import image_results
from retable.run import environment, paths
from retable.run.build import build
from retable.run.callbacks import EpochCheckpoints, Interrupts, NotedCode, RunClock, SameData, SeedEpochs
from retable.run.checkpoints import AtomicCheckpointIO
from retable.run.command_line import command
from retable.run.configuration import config_hash, stored
from retable.run.loggers import WandbLogger

Metrics = dict[str, tuple[float | None, str, str]]
"""Value (None if undefined), unit and direction by ``split/name``."""


def quieten() -> None:
    """Leaves out what Lightning says of absent accelerators, its other products, and defaults that are meant."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    for message in (
        r".*treespec, LeafSpec",  # Lightning 2.6 asks torch 2.15 in a way that torch means to drop
        r"The number of training batches",  # short epochs are meant: budget=smoke has them
        r".*does not have many workers",  # data.workers is chosen for the cores
    ):
        warnings.filterwarnings("ignore", message=message)


def start_loggers(config: DictConfig, folder: Path) -> tuple[list[Any], WandbLogger | None]:
    """Builds what keeps the curves of a run, and begins the run of W&B, if it is among them, which it also returns.

    Raises:
        ConfigError: W&B is to be online and there is no login.
    """
    loggers = build(config.logger, folder=folder, tags=list(config.tags))
    wandb = next((logger for logger in loggers if isinstance(logger, WandbLogger)), None)
    if wandb is not None:
        wandb.start(stored(config))
    return loggers, wandb


def build_trainer(
    config: DictConfig, folder: Path, loggers: list[Any], clock: RunClock
) -> tuple[EpochCheckpoints | None, Any]:
    """Builds Lightning's Trainer.

    Args:
        config: The configuration of a run.
        folder: Where it leaves its files.
        loggers: Where its curves go.
        clock: Counts its time.

    Returns:
        What keeps its checkpoints, if anything does, and the Trainer.

    Raises:
        ConfigError: There is no GPU, or an option cannot be.
    """
    callbacks: list[Callback] = [SeedEpochs(config.seed), Interrupts(), SameData(), NotedCode(), clock]
    callbacks += [
        build(callback)
        for name, callback in config.callbacks.items()
        if name != "progress" or config.trainer.enable_progress_bar
    ]
    plugins: list[Any] = [AtomicCheckpointIO()]
    if config.trainer.sync_batchnorm:
        from retable.nn.batch_norm import SynchroniseBatchNorm

        plugins.append(SynchroniseBatchNorm())
    if config.trainer.accelerator in ("gpu", "cuda") and not torch.cuda.is_available():
        raise ConfigError("trainer.accelerator: there is no GPU here; use trainer=cpu or trainer=auto")
    trainer = build(
        config.trainer,
        default_root_dir=str(folder),
        logger=loggers,
        callbacks=callbacks,
        plugins=plugins,
        use_distributed_sampler=False,  # the data module's samplers know ranks, and count each image once
        enable_checkpointing=any(isinstance(callback, EpochCheckpoints) for callback in callbacks),
    )
    keeper = next((callback for callback in callbacks if isinstance(callback, EpochCheckpoints)), None)
    return keeper, trainer


def guard_interrupts(work: Any) -> None:
    """Lets Lightning work, and a KeyboardInterrupt be one, which it turns into exit code 1."""
    try:
        work()
    except SystemExit as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise


def pictures_drawn(trainer: Any, model: LightningModule) -> dict[str, str]:
    """Returns what callbacks and model say that they drew: path to title."""
    told: list[dict[str, str]] = [getattr(source, "pictures", {}) for source in (*trainer.callbacks, model)]
    return {path: title for pictures in told for path, title in pictures.items()}


def keep_image_results(model: LightningModule, folder: Path) -> None:
    """Writes ``images.npz`` of a model that tells what it found in each image.

    Raises:
        OSError: The disk is full or the folder cannot be written.
    """
    found = getattr(model, "image_results", None)
    if found is not None:
        image_results.save(folder / paths.IMAGES, found())


def tested_metrics(trainer: Trainer, model: Any, split: str) -> Metrics:
    """Returns what a test has logged of a split."""
    metrics: Metrics = {}
    for name, tensor in sorted(trainer.callback_metrics.items()):
        if name.startswith(f"{split}/"):
            value = float(tensor)
            unit, direction = model.metric_info.get(name.split("/")[-1], ("", "none"))
            metrics[name] = (value if math.isfinite(value) else None, unit, direction)
    return metrics


def facts(config: DictConfig, trainer: Any, model: Any, data: Any, metrics: Metrics) -> dict[str, Any]:
    """Returns what the records of a training and of a test have in common, by field of `retable.run.record.Record`."""
    return {
        "command": command(),
        "config": stored(config),
        "config_hash": config_hash(config),
        "metrics": {name: value for name, (value, _, _) in metrics.items()},
        "metric_info": {name: {"unit": unit, "direction": way} for name, (_, unit, way) in metrics.items()},
        "data": {**data.provenance, "tested_split": data.test_name},
        "model": {
            "parameters": sum(parameter.numel() for parameter in model.network.parameters()),
            "weights_origin": model.weights_origin,
            **getattr(model, "about", {}),
        },
        "seed": config.seed,
        "peak_memory_bytes": environment.peak_memory(),
        "devices": environment.devices(trainer.strategy.root_device.type, trainer.world_size),
        "versions": environment.package_versions(),
        "code": next(callback.code for callback in trainer.callbacks if isinstance(callback, NotedCode)),
        "git": environment.git_state(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
