"""One run: build model and data, fit, test, and write the record.

What a model (LightningModule) brings beside Lightning's own hooks:
    network: the plain ``nn.Module``; it is what ``compile=true`` compiles.
    monitor, monitor_mode: the logged metric that says which epoch is best, and ``max`` or ``min``.
    metric_info: unit and direction of each metric by its last name, such as ``{"ap50_voc07": ("fraction", "higher")}``.
    weights_origin: where the weights began: ``scratch``, ``imagenet:...``, ``file:...``.
    about: further facts for the record, as plain values; may be absent.
What a callback (or the LightningModule) brings that draws:
    pictures: what it drew, in a dict: path relative to the run's folder, such as ``plots/detections.png``, to a short
        title; the one that tells most comes first: a table's report shows it. Filled by the end of the test.
What the data (LightningDataModule) brings:
    provenance: ``kind`` (real, synthetic or mixed), ``source``, ``fingerprint`` and the sizes of the splits, as plain
        values, after ``setup``.
    first_epoch: the epoch that training begins with; set here for a resumed run before the loaders are made.
    test_name: the split that is tested and names the metrics: ``test``, or ``val`` where no test split exists.
"""

import logging
import math
import os
import sys
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import LightningModule, Trainer, seed_everything
from pytorch_lightning.callbacks import Callback

from retable import sparing
from retable.errors import ConfigError, StorageError
from retable.files import write_text
from retable.run import checkpoints, environment, paths, record, report
from retable.run.build import build
from retable.run.callbacks import EpochCheckpoints, RunClock, SeedEpochs
from retable.run.checkpoints import AtomicCheckpointIO
from retable.run.command_line import differs_from_paper
from retable.run.configuration import config_hash, flatten, identity, plain, stored
from retable.run.loggers import WandbLogger

log = logging.getLogger(__name__)


def train(config: DictConfig) -> None:
    """Trains and tests what a checked configuration describes, in Hydra's run folder.

    Args:
        config: A configuration that passed `retable.run.configuration.check`.

    Raises:
        ConfigError: The folder holds another run, or the combination cannot work.
        DataError: The dataset has a fault.
        CheckpointError: A checkpoint cannot be used.
        DivergenceError: The loss became NaN or infinite.
        StorageError: A result could not be written.
    """
    started = time.time()
    _quieten()
    if config.compile:
        sparing.compiler()
    folder = Path(HydraConfig.get().runtime.output_dir)
    main_process = int(os.environ.get("LOCAL_RANK", 0)) == 0
    _refuse_multirun_ddp(config)
    if main_process and not _claim_folder(config, folder):
        log.info("%s already holds this run, finished: its record stands", folder)
        report.show(record.read(folder), folder)
        return
    resume_from = folder / paths.CHECKPOINTS / paths.LAST
    resuming = config.resume.name == "auto" and resume_from.is_file()

    seed_everything(config.seed, verbose=False)
    data = build(config.data, seed=config.seed)
    model = build(config.model)
    if resuming:
        data.first_epoch = checkpoints.load(resume_from)["epoch"] + 1
    if config.compile:
        model.network.compile()
    loggers = build(config.logger, folder=folder, tags=list(config.tags))
    wandb = next((logger for logger in loggers if isinstance(logger, WandbLogger)), None)
    if wandb is not None:
        wandb.start(stored(config))
    clock = RunClock(started)
    keeper, trainer = _build_trainer(config, folder, loggers, clock)

    if main_process:
        log.info("%s %s in %s", "resuming" if resuming else "training", _choices()["model"], folder)
    _guard_interrupts(
        lambda: trainer.fit(model, datamodule=data, ckpt_path=resume_from if resuming else None, weights_only=True)
    )
    clock.fit_ended()
    tested = _load_tested(config, folder, model, trainer, keeper)
    test_started = time.time()
    _guard_interrupts(lambda: trainer.test(model, datamodule=data, verbose=False))
    if not trainer.is_global_zero or trainer.fast_dev_run:
        return
    metrics = _metrics(trainer, model, data, clock, time.time() - test_started)
    pictures = {**_pictures(trainer, model), **report.draw_curves(folder)}
    result = record.Record(
        command=" ".join(["python", *sys.argv]),
        choices=_choices(),
        config=stored(config),
        config_hash=config_hash(config),
        differs_from_paper=differs_from_paper(config, HydraConfig.get().overrides.task),
        metrics={name: value for name, (value, _, _) in metrics.items()},
        metric_info={name: {"unit": unit, "direction": way} for name, (_, unit, way) in metrics.items()},
        data={**data.provenance, "tested_split": data.test_name},
        model={
            "parameters": sum(parameter.numel() for parameter in model.network.parameters()),
            "weights_origin": model.weights_origin,
            **getattr(model, "about", {}),
        },
        seed=config.seed,
        wall_seconds=clock.total(),
        peak_memory_bytes=environment.peak_memory(),
        devices=environment.devices(trainer.strategy.root_device.type, trainer.world_size),
        versions=environment.package_versions(),
        git=environment.git_state(),
        wandb_id=None if wandb is None else wandb.run_id,
        checkpoints=tested,
        pictures=pictures,
        started=datetime.fromtimestamp(clock.first_start, UTC).isoformat(timespec="seconds"),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        resumed=clock.resumed,
    )
    if wandb is not None:
        wandb.log_pictures(report.pictures(result, folder))
        wandb.finish(result.metrics)
    result.write(folder)
    report.show(result, folder)


def _quieten() -> None:
    # Lightning announces absent accelerators, its other products, and defaults that are meant
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    for message in (
        r".*treespec, LeafSpec",  # Lightning 2.6 asks torch 2.15 in a way that torch means to drop
        r"The number of training batches",  # short epochs are meant: budget=smoke has them
        r".*does not have many workers",  # data.workers is chosen for the cores
    ):
        warnings.filterwarnings("ignore", message=message)


def _choices() -> dict[str, str]:
    return {
        str(group): str(choice)
        for group, choice in HydraConfig.get().runtime.choices.items()
        if not str(group).startswith(("hydra", "schema", "/schema", "schedule", "/schedule"))
    }


def _refuse_multirun_ddp(config: DictConfig) -> None:
    # Lightning starts its other ranks with this process's own command line, and under -m each of them would run the
    # whole multirun again: they hang, or train ranks with different values
    several = config.trainer.devices not in (1, "1") and config.trainer.accelerator == "cpu"
    if HydraConfig.get().mode is RunMode.MULTIRUN and (config.trainer.strategy.startswith("ddp") or several):
        raise ConfigError("trainer.strategy: ddp does not work under -m; start one run for each value")


def _claim_folder(config: DictConfig, folder: Path) -> bool:
    """Writes config.yaml into a new folder; says False if the run in it is finished already.

    Raises:
        ConfigError: The folder holds another run, or an unfinished one that is not to be resumed.
    """
    path = folder / paths.CONFIG
    try:
        if path.exists():
            if config.resume.name != "auto":
                raise ConfigError(
                    f"hydra.run.dir: {folder} already holds a run; add resume=auto to go on with it, "
                    "or give another folder"
                )
            _check_same_run(config, OmegaConf.load(path), folder)
            if (folder / paths.RECORD).exists():
                return False
        else:
            text = OmegaConf.to_yaml(OmegaConf.create(stored(config)))
            write_text(path, f"# resolved configuration of this run, hash {config_hash(config)}\n{text}")
    except OSError as error:
        raise StorageError(f"cannot write into {folder}: {error.strerror}") from error
    return True


def _check_same_run(config: DictConfig, kept: Any, folder: Path) -> None:
    ours, theirs = identity(config), dict(flatten(plain(kept)))
    for key, value in ours.items():
        old = theirs.get(key)
        if key == "data.root":
            old = None if old is None else "given"
        if key != "model.weights" and old != value:
            raise ConfigError(f"{key}: the run in {folder} has {old}, not {value}; give another hydra.run.dir")


def _build_trainer(
    config: DictConfig, folder: Path, loggers: list[Any], clock: RunClock
) -> tuple[EpochCheckpoints | None, Any]:
    callbacks: list[Callback] = [SeedEpochs(config.seed), clock]
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


def _guard_interrupts(work: Any) -> None:
    try:
        work()
    except SystemExit as error:
        # Lightning turns Ctrl-C into exit code 1
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise


def _load_tested(
    config: DictConfig, folder: Path, model: LightningModule, trainer: Any, keeper: EpochCheckpoints | None
) -> dict[str, Any]:
    """Loads the weights that are to be tested and says which they are."""
    if keeper is None or trainer.fast_dev_run:
        return {"tested": "as trained"}
    name = paths.BEST if config.test_checkpoint.name == "best" and keeper.best_epoch is not None else paths.LAST
    checkpoints.load_into(model, folder / paths.CHECKPOINTS / name)
    return {"tested": f"{paths.CHECKPOINTS}/{name}", "best_epoch": keeper.best_epoch, "best_score": keeper.best_score}


def _pictures(trainer: Any, model: LightningModule) -> dict[str, str]:
    """What callbacks and model say that they drew: path to title."""
    told: list[dict[str, str]] = [getattr(source, "pictures", {}) for source in (*trainer.callbacks, model)]
    return {path: title for pictures in told for path, title in pictures.items()}


def _metrics(
    trainer: Trainer, model: Any, data: Any, clock: RunClock, test_seconds: float
) -> dict[str, tuple[float | None, str, str]]:
    """All metrics of the run: value (None if undefined), unit and direction."""
    metrics: dict[str, tuple[float | None, str, str]] = {}
    for name, tensor in sorted(trainer.callback_metrics.items()):
        if name.startswith(f"{data.test_name}/"):
            value = float(tensor)
            unit, direction = model.metric_info.get(name.split("/")[-1], ("", "none"))
            metrics[name] = (value if math.isfinite(value) else None, unit, direction)
    metrics["train/seconds"] = (clock.fit_seconds, "s", "lower")
    metrics["train/epochs"] = (float(trainer.current_epoch), "epochs", "none")
    metrics["train/steps"] = (float(trainer.global_step), "steps", "none")
    metrics[f"{data.test_name}/seconds"] = (test_seconds, "s", "lower")
    return metrics
