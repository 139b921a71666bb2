"""One run: build model and data, fit, test, and write the record."""

import logging
import os
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import LightningModule, seed_everything

from retable import sparing
from retable.errors import ConfigError, DataError, StorageError
from retable.files import alone, write_text
from retable.run import checkpoints, digests, paths, record, report
from retable.run.assembly import (
    build_trainer,
    facts,
    guard_interrupts,
    keep_image_results,
    pictures_drawn,
    quieten,
    start_loggers,
    tested_metrics,
)
from retable.run.build import build
from retable.run.callbacks import EpochCheckpoints, RunClock
from retable.run.command_line import differs_from_paper
from retable.run.configuration import config_hash, flatten, identity, plain, stored
from retable.run.predict import read_config

log = logging.getLogger(__name__)


def train(config: DictConfig) -> None:
    """Trains and tests what a checked configuration describes, in Hydra's run folder.

    Args:
        config: A configuration that passed `retable.run.configuration.check_run`.

    Raises:
        ConfigError: The folder holds another run, or the combination cannot work.
        DataError: The dataset has a fault.
        CheckpointError: A checkpoint cannot be used.
        DivergenceError: The loss became NaN or infinite.
        StorageError: A result could not be written.
    """
    folder = Path(HydraConfig.get().runtime.output_dir)
    main_process = int(os.environ.get("LOCAL_RANK", 0)) == 0
    refusal = f"hydra.run.dir: {folder} is in use; wait for that run, or give another folder"
    is_ours = False  # what lies in the folder: not while another process holds it, nor where a run was before
    try:
        with alone(folder, refusal) if main_process else nullcontext():
            is_ours = main_process and not (folder / paths.CONFIG).exists()
            _train(config, folder, main_process)
    except (ConfigError, DataError):
        if is_ours:
            _leave_nothing(folder)
        raise


def _leave_nothing(folder: Path) -> None:
    """Removes the folder of a run that was refused before its first step, with what this process has put into it."""
    if not (folder / paths.CHECKPOINTS).exists():
        for name in (paths.CONFIG, paths.DATA, paths.METRICS, paths.WANDB_ID, paths.LOG):
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):  # it holds other things
            folder.rmdir()
            folder.parent.rmdir()


def _train(config: DictConfig, folder: Path, main_process: bool) -> None:
    started = time.time()
    quieten()
    if config.compile:
        sparing.compiler()
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
        kept = checkpoints.load(resume_from)
        checkpoints.check_weights(model, kept, resume_from)
        data.first_epoch = kept["epoch"] + 1
    digests.loaded()  # now, as the code may be edited before the record is written
    if config.compile:
        model.network.compile()
    loggers, wandb = start_loggers(config, folder)
    clock = RunClock(started)
    keeper, trainer = build_trainer(config, folder, loggers, clock)

    if main_process:
        log.info("%s %s in %s", "resuming" if resuming else "training", _choices()["model"], folder)
    guard_interrupts(
        lambda: trainer.fit(model, datamodule=data, ckpt_path=resume_from if resuming else None, weights_only=True)
    )
    clock.fit_ended()
    tested = _load_tested(config, folder, model, trainer, keeper)
    test_started = time.time()
    guard_interrupts(lambda: trainer.test(model, datamodule=data, verbose=False))
    if not trainer.is_global_zero or trainer.fast_dev_run:
        return
    keep_image_results(model, folder)
    metrics = tested_metrics(trainer, model, data.test_name)
    metrics |= {
        "train/seconds": (clock.fit_seconds, "s", "lower"),
        "train/epochs": (float(trainer.current_epoch), "epochs", "none"),
        "train/steps": (float(trainer.global_step), "steps", "none"),
        "train/parameters": (float(sum(weight.numel() for weight in model.network.parameters())), "weights", "lower"),
        f"{data.test_name}/seconds": (time.time() - test_started, "s", "lower"),
    }
    overrides = list(HydraConfig.get().overrides.task)
    search_path = [word for word in HydraConfig.get().overrides.hydra if word.startswith("hydra.searchpath")]
    pictures = {**pictures_drawn(trainer, model), **report.draw_curves(folder)}
    result = record.Record(
        **facts(config, trainer, model, data, metrics),
        choices=_choices(),
        overrides=overrides,
        differs_from_paper=differs_from_paper(config, [*overrides, *search_path]),
        wall_seconds=clock.total(),
        wandb_id=None if wandb is None else wandb.run_id,
        checkpoints=tested,
        pictures=pictures,
        started=datetime.fromtimestamp(clock.first_start, UTC).isoformat(timespec="seconds"),
        resumed=clock.resumed,
        extended=_extended(folder),
    )
    report.conclude(result, folder, wandb)


def _choices() -> dict[str, str]:
    return {
        str(group): str(choice)
        for group, choice in HydraConfig.get().runtime.choices.items()
        if not str(group).startswith("hydra") and "@" not in str(group)
    }


def _refuse_multirun_ddp(config: DictConfig) -> None:
    # Lightning starts its other ranks with this process's own command line, and under -m each of them would run the
    # whole multirun again: they hang, or train ranks with different values
    several = config.trainer.devices not in (1, "1") and config.trainer.accelerator == "cpu"
    if HydraConfig.get().mode is RunMode.MULTIRUN and (config.trainer.strategy.startswith("ddp") or several):
        raise ConfigError("trainer.strategy: ddp does not work under -m; start one run for each value")


def _claim_folder(config: DictConfig, folder: Path) -> bool:
    """Writes config.yaml into a new folder; says False if the run in it is finished already.

    A finished run that is asked for more epochs is unfinished from then on; the record that it had is kept under
    another name.

    Raises:
        ConfigError: The folder holds another run, or an unfinished one that is not to be resumed.
    """
    path, finished = folder / paths.CONFIG, folder / paths.RECORD
    try:
        if path.exists():
            if config.resume.name != "auto":
                raise ConfigError(
                    f"hydra.run.dir: {folder} already holds a run; add resume=auto to go on with it, "
                    "or give another folder"
                )
            kept = plain(read_config(folder))
            reached = kept["trainer"]["max_epochs"] if finished.exists() else None
            more = reached is not None and (config.trainer.max_epochs or 0) > reached
            _check_same_run(config, kept, folder, except_for=("trainer.max_epochs",) if more else ())
            if not more:
                return not finished.exists()
            log.info("%s is finished after %d epochs, and goes on to %d", folder, reached, config.trainer.max_epochs)
            _write_config(config, path)
            finished.replace(folder / paths.EARLIER_RECORD.format(reached))
        else:
            _write_config(config, path)
    except OSError as error:
        raise StorageError(f"cannot write into {folder}: {error.strerror}") from error
    return True


def _write_config(config: DictConfig, path: Path) -> None:
    text = OmegaConf.to_yaml(OmegaConf.create(stored(config)))
    write_text(path, f"# resolved configuration of this run, hash {config_hash(config)}\n{text}")


def _extended(folder: Path) -> list[int]:
    """The numbers of epochs at which the run was finished before."""
    found = (path.stem.rpartition("-")[2] for path in folder.glob(paths.EARLIER_RECORD.format("*")))
    return sorted(int(epochs) for epochs in found)


def _check_same_run(config: DictConfig, kept: dict[str, Any], folder: Path, except_for: Sequence[str]) -> None:
    ours, theirs = identity(config), dict(flatten(kept))
    for key, value in ours.items():
        old = theirs.get(key)
        if key == "data.root":
            old = None if old is None else "given"
        if key not in ("model.weights", *except_for) and old != value:
            raise ConfigError(f"{key}: the run in {folder} has {old}, not {value}; give another hydra.run.dir")


def _load_tested(
    config: DictConfig, folder: Path, model: LightningModule, trainer: Any, keeper: EpochCheckpoints | None
) -> dict[str, Any]:
    """Loads the weights that are to be tested and says which they are."""
    if keeper is None or trainer.fast_dev_run:
        return {"tested": "as trained"}
    name = paths.BEST if config.test_checkpoint.name == "best" and keeper.best_epoch is not None else paths.LAST
    checkpoints.load_into(model, folder / paths.CHECKPOINTS / name)
    return {"tested": f"{paths.CHECKPOINTS}/{name}", "best_epoch": keeper.best_epoch, "best_score": keeper.best_score}
