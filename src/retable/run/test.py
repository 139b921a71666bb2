"""A test of a finished run: its checkpoint on its own data again, on others, or with other options of inference."""

import hashlib
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import seed_everything

from retable.errors import ConfigError
from retable.run import paths, record, report
from retable.run.assembly import build_trainer, facts, guard_interrupts, pictures_drawn, quieten, tested_metrics
from retable.run.build import build
from retable.run.buildable import check_buildable
from retable.run.callbacks import RunClock
from retable.run.command_line import compose, differs_from_paper
from retable.run.configuration import check_run, identity, nearest, plain
from retable.run.predict import build_trained, checkpoint_of
from retable.run.record import Record

_ALONE = ("trainer.devices=1", "trainer.strategy=auto", "trainer.sync_batchnorm=false", "logger=none", "resume=never")
_FREE = ("data", "trainer")


def test(config: DictConfig) -> None:
    """Evaluates a run once more and leaves a record of the same form in ``tests/ID`` of its folder.

    Raises:
        ConfigError: An override changes more than a test may.
        CheckpointError: The checkpoint is missing, damaged or of another model.
        DataError: The run is not finished, or the data have a fault.
        StorageError: A result cannot be written.
    """
    started = time.time()
    quieten()
    folder = Path(config.run).expanduser()
    kept = record.read(folder)
    words = [*kept.overrides, *_ALONE, f"trainer.accelerator={config.accelerator}", *config.overrides]
    if any(word.lstrip("+~").startswith("hydra") for word in kept.overrides):  # it could name a place to import from
        raise ConfigError(f"{folder / paths.RECORD}: overrides: they set Hydra's own keys, which no run writes there")
    asked = compose("train", words)
    check_buildable(plain(asked), folder / paths.RECORD)
    check_run(asked)
    changes = _changes(asked, kept)
    checkpoint = checkpoint_of(folder, config.checkpoint.name)
    seed_everything(asked.seed, verbose=False)
    data, model = build(asked.data, seed=asked.seed), build_trained(asked, checkpoint)
    if config.split is not None:
        data.test_name = config.split.name
    text = json.dumps([changes, checkpoint.name, data.test_name], sort_keys=True, default=str)
    output = folder / paths.TESTS / hashlib.sha256(text.encode()).hexdigest()[:8]
    output.mkdir(parents=True, exist_ok=True)
    _, trainer = build_trainer(asked, output, [], RunClock(started))
    test_started = time.time()
    guard_interrupts(lambda: trainer.test(model, datamodule=data, verbose=False))
    metrics = tested_metrics(trainer, model, data.test_name)
    metrics[f"{data.test_name}/seconds"] = (time.time() - test_started, "s", "lower")
    result = Record(
        **facts(asked, trainer, model, data, metrics),
        choices={**kept.choices, **_choices(config.overrides)},
        overrides=[*kept.overrides, *config.overrides],
        differs_from_paper=differs_from_paper(asked, words),
        wall_seconds=time.time() - started,
        wandb_id=None,
        checkpoints={"tested": f"{paths.CHECKPOINTS}/{checkpoint.name}"},
        pictures=pictures_drawn(trainer, model),
        started=datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        resumed=0,
        trained={"run": folder.name, "config_hash": kept.config_hash, "data": kept.data},
    )
    result.write(output)
    report.show(result, output)


test.__test__ = False  # type: ignore[attr-defined]  # not a test of ours, whatever pytest makes of its name


def _changes(asked: DictConfig, kept: Record) -> dict[str, Any]:
    """What is other than in the run.

    Raises:
        ConfigError: It is more than a test may change.
    """
    ours, theirs = identity(asked), identity(OmegaConf.create(kept.config))
    changes = {key: ours.get(key) for key in sorted(ours | theirs) if ours.get(key) != theirs.get(key)}
    options = sorted(getattr(get_class(asked.model._target_), "inference_options", ()))
    free = [f"model.{name}" for name in options]
    for key in changes:
        if key.split(".")[0] not in _FREE and key not in free and key != "model.weights":
            near = nearest(key, free)
            hint = (
                f"did you mean {near}?" if near else f"of this model a test may change {', '.join(free) or 'nothing'}"
            )
            raise ConfigError(f"{key}: it acts in training, so a test cannot change it from {theirs.get(key)}; {hint}")
    return changes


def _choices(overrides: list[str]) -> dict[str, str]:
    """The configuration groups among overrides, such as ``data=NAME``."""
    pairs = (word.partition("=") for word in overrides)
    return {key: value for key, _, value in pairs if key in ("data", "model", "trainer", "callbacks")}
