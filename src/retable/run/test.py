"""A test of a finished run: its checkpoint on its own data again, on others, or with other options of inference."""

import hashlib
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import seed_everything

from retable.errors import ConfigError
from retable.run import paths, record, report, tested
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
from retable.run.buildable import check_buildable
from retable.run.callbacks import RunClock
from retable.run.command_line import compose, differs_from_paper
from retable.run.configuration import check_run, identity, plain
from retable.run.predict import build_trained, checkpoint_of
from retable.run.record import Record

_ALONE = ("trainer.devices=1", "trainer.strategy=auto", "trainer.sync_batchnorm=false", "resume=never")
_LOGGED = ("logger.csv=false", "logger.job_type=test")  # a test has no curves; Weights & Biases as the run has it


def test(config: DictConfig) -> None:
    """Evaluates runs once more and leaves a record of the same form in ``tests/ID`` of the folder of each.

    All runs are looked at before the first is evaluated. Several end in one table.

    Raises:
        ConfigError: An override changes more than a test may, or one folder is given for several runs.
        CheckpointError: A checkpoint is missing, damaged or of another model.
        DataError: A run is not finished, or the data have a fault.
        StorageError: A result cannot be written.
    """
    quieten()
    if config.output is not None and len(config.run) > 1:
        raise ConfigError("output: one folder cannot hold the tests of several runs; test one at a time")
    asked = [_ask(Path(run).expanduser(), config) for run in config.run]
    results = [_evaluate(one, config) for one in asked]
    if len(results) > 1:
        report.compare({one.folder.name: result for one, result in zip(asked, results, strict=True)})


test.__test__ = False  # type: ignore[attr-defined]  # not a test of ours, whatever pytest makes of its name


@dataclass(frozen=True)
class _Asked:
    """A test that may be done: the run's folder and record, what it is composed of, and what is other in it."""

    folder: Path
    kept: Record
    words: list[str]
    config: DictConfig
    changes: dict[str, Any]
    checkpoint: Path


def _ask(folder: Path, config: DictConfig) -> _Asked:
    kept = record.read(folder)
    words = [*kept.overrides, *_ALONE, *_LOGGED, f"trainer.accelerator={config.accelerator}", *config.overrides]
    if config.checkpoint is not None:
        words.append(f"test_checkpoint={config.checkpoint.name}")
    if any(word.lstrip("+~").startswith("hydra") for word in kept.overrides):  # it could name a place to import from
        raise ConfigError(f"{folder / paths.RECORD}: overrides: they set Hydra's own keys, which no run writes there")
    asked, trained = compose("train", words), identity(OmegaConf.create(kept.config))
    tested.keep_trained(asked, trained, config.overrides)
    check_buildable(plain(asked), folder / paths.RECORD)
    check_run(asked)
    changes = tested.changes(asked, trained)
    return _Asked(folder, kept, words, asked, changes, checkpoint_of(folder, asked.test_checkpoint.name))


def _evaluate(asked: _Asked, config: DictConfig) -> Record:
    started = time.time()
    kept, wanted = asked.kept, asked.config
    seed_everything(wanted.seed, verbose=False)
    data, model = build(wanted.data, seed=wanted.seed), build_trained(wanted, asked.checkpoint)
    if config.split is not None:
        data.test_name = config.split.name
    data.roles = (data.test_name,)
    if config.output is None:
        output = asked.folder / paths.TESTS / _name(asked, data.test_name)
    else:
        output = Path(config.output).expanduser()
    output.mkdir(parents=True, exist_ok=True)
    loggers, wandb = start_loggers(wanted, output)
    _, trainer = build_trainer(wanted, output, loggers, RunClock(started))
    test_started = time.time()
    guard_interrupts(lambda: trainer.test(model, datamodule=data, verbose=False))
    keep_image_results(model, output)
    metrics = tested_metrics(trainer, model, data.test_name)
    metrics[f"{data.test_name}/seconds"] = (time.time() - test_started, "s", "lower")
    found = facts(wanted, trainer, model, data, metrics)
    found["config_hash"] = tested.test_hash(identity(wanted), kept.config_hash)
    found["model"]["weights_origin"] = kept.model.get("weights_origin")  # of the training
    result = Record(
        **found,
        choices={**kept.choices, **_choices(config.overrides)},
        overrides=[*kept.overrides, *config.overrides],
        differs_from_paper=differs_from_paper(wanted, asked.words),
        wall_seconds=time.time() - started,
        wandb_id=None if wandb is None else wandb.run_id,
        checkpoints={"tested": f"{paths.CHECKPOINTS}/{asked.checkpoint.name}"},
        pictures=pictures_drawn(trainer, model),
        started=datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        resumed=0,
        trained={
            "run": asked.folder.name,
            "config_hash": kept.config_hash,
            "data": kept.data,
            "finished": kept.finished,
        },
    )
    report.conclude(result, output, wandb)
    return result


def _name(asked: _Asked, split: str) -> str:
    """Eight digits that tell tests of a run apart: by what is other, by the files, the weights and the split."""
    root = OmegaConf.select(asked.config, "data.root")
    files = None if root is None else str(Path(root).expanduser().absolute())
    text = json.dumps([asked.changes, files, asked.checkpoint.name, split], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _choices(overrides: list[str]) -> dict[str, str]:
    """The configuration groups among overrides, such as ``data=NAME``."""
    pairs = (word.partition("=") for word in overrides)
    return {key: value for key, _, value in pairs if key in ("data", "trainer", "logger") or "/" in key}
