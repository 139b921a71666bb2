"""What every run does beside the training itself: seeds, checkpoints, a progress bar, patience."""

import json
import logging
import math
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pytorch_lightning import LightningModule, Trainer, seed_everything
from pytorch_lightning.callbacks import Callback, Checkpoint, EarlyStopping, RichProgressBar

from retable.errors import DataError
from retable.files import write_atomically, write_text
from retable.run import digests, interrupts, paths

log = logging.getLogger(__name__)


class SeedEpochs(Callback):
    """Seeds every generator anew at the start of each epoch from the run's seed, the epoch and the rank.

    What a random layer draws then depends on nothing that happened before the epoch, so a run that was killed and
    resumed from the last epoch's checkpoint ends where the uninterrupted one does.

    Args:
        seed: The run's seed.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Seeds Python, NumPy and torch before the first batch.

        Not at the epoch's start: a loader draws a number when it begins, which is before that in the first epoch
        of a process and after it in the others.
        """
        if batch_idx > 0:
            return
        sequence = np.random.SeedSequence([self.seed, trainer.current_epoch, trainer.global_rank])
        seed_everything(int(sequence.generate_state(1)[0]), verbose=False)


class Interrupts(Callback):
    """Takes SIGTERM back from Lightning, which would end the run at the next batch with exit code 0, as if done."""

    def on_sanity_check_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Listens again."""
        interrupts.listen()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Listens again."""
        interrupts.listen()

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Listens again."""
        interrupts.listen()


class SameData(Callback):
    """Notes which data a run began with, and refuses to go on with others."""

    def setup(self, trainer: Any, pl_module: LightningModule, stage: str) -> None:
        """Compares fingerprints; the data are set up by now.

        Raises:
            DataError: A run that was interrupted is resumed with other data.
        """
        if stage != "fit" or not trainer.is_global_zero:
            return
        path, found = Path(trainer.default_root_dir) / paths.DATA, trainer.datamodule.provenance
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            write_text(path, json.dumps(found, indent=2) + "\n")
            return
        except ValueError as error:
            raise DataError(f"{path}: damaged ({error}); give another hydra.run.dir") from error
        for key in ("fingerprint", "kind", "splits"):
            if not isinstance(kept, dict) or kept.get(key) != found[key]:
                raise DataError(
                    "data.root: the files are others than those that this run began with "
                    f"({key} in {path}); give them again, or another hydra.run.dir"
                )


class NotedCode(Callback):
    """Notes in every checkpoint which code the run was made with so far.

    A run may go on with other code than it began with, but then no code on the disk is the one that made it: its record
    has both digests of such a module, and counts as stale.

    Attributes:
        code: Digests as of `retable.run.digests.loaded`.
    """

    def __init__(self) -> None:
        self._before: dict[str, str] = {}

    @property
    def code(self) -> dict[str, str]:
        """Digests of all code that took part."""
        now = digests.loaded()
        changed = {name: old for name, old in self._before.items() if name in now and now[name] != old}
        return now | {name: f"{old}, {now[name]}" for name, old in changed.items()}

    def state_dict(self) -> dict[str, Any]:
        """The digests so far."""
        return {"code": self.code}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up those of an interrupted run."""
        self._before = state_dict["code"]
        changed = [name for name, digest in self.code.items() if "," in digest]
        if changed:
            log.warning(
                "the code has changed since this run began (%s): its record will count as stale", ", ".join(changed)
            )


class EpochCheckpoints(Checkpoint):
    """Keeps two checkpoints: ``last.ckpt`` of every epoch, and ``best.ckpt`` of the epoch that validated best.

    The module says what best means by two attributes: ``monitor``, a logged name such as ``val/ap50_voc12``, and
    ``monitor_mode``, ``max`` or ``min``. Of equal scores the earlier epoch stays. The best is written before the last,
    so a run that dies between the two repeats the epoch and writes the same best again.
    """

    def __init__(self) -> None:
        self.best_score: float | None = None
        self.best_epoch: int | None = None
        self._validated = False

    def state_dict(self) -> dict[str, Any]:
        """The best score so far and its epoch, kept in every checkpoint."""
        return {"best_score": self.best_score, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up the best score of an interrupted run."""
        self.best_score, self.best_epoch = state_dict["best_score"], state_dict["best_epoch"]

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remembers that this epoch has a validation score."""
        self._validated = not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Any, pl_module: LightningModule) -> None:
        """Writes the epoch's checkpoints.

        Raises:
            StorageError: They cannot be written.
        """
        if trainer.fast_dev_run:
            return
        folder = Path(trainer.default_root_dir) / paths.CHECKPOINTS
        best, last = folder / paths.BEST, folder / paths.LAST
        if self._validated and self._improved(trainer, pl_module):
            trainer.save_checkpoint(best)
            if trainer.is_global_zero:
                write_atomically(last, lambda temporary: _link(best, temporary))
        else:
            trainer.save_checkpoint(last)
        self._validated = False

    def _improved(self, trainer: Trainer, pl_module: LightningModule) -> bool:
        score = float(trainer.callback_metrics[str(pl_module.monitor)])
        sign = 1 if pl_module.monitor_mode == "max" else -1
        if math.isnan(score) or (self.best_score is not None and sign * score <= sign * self.best_score):
            return False
        self.best_score, self.best_epoch = score, trainer.current_epoch
        return True


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # file systems without hard links
        shutil.copyfile(source, target)


class Patience(EarlyStopping):
    """Ends the training when the model's own ``monitor`` has not improved for a number of validations.

    Args:
        patience: Validations without improvement that are allowed.
    """

    def __init__(self, patience: int) -> None:
        super().__init__(monitor="", patience=patience, check_on_train_epoch_end=False)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Takes metric and direction from the model."""
        self.monitor = str(pl_module.monitor)
        if self.mode != pl_module.monitor_mode:
            self.mode = str(pl_module.monitor_mode)
            self.best_score = -self.best_score
        super().setup(trainer, pl_module, stage)


class EpochLines(Callback):
    """Writes one line into the log for each validated epoch, and without a terminal one a minute in between."""

    def __init__(self) -> None:
        self._validated = False
        self._last = (time.monotonic(), 0)  # when the last line was written, and after how many batches

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Starts the clock."""
        self._last = (time.monotonic(), self._batches(trainer))

    def on_train_batch_end(
        self, trainer: Any, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Logs step, rate, loss and the time that is left."""
        (before, done), now = self._last, time.monotonic()
        if now - before < _LINE_SECONDS or _has_bar(trainer) or not trainer.is_global_zero:
            return
        batches = self._batches(trainer)
        self._last = now, batches
        rate = (batches - done) / (now - before)
        text = f"epoch {trainer.current_epoch + 1}, step {trainer.global_step}: {rate:.3g} steps/s"
        if isinstance(outputs, Mapping) and "loss" in outputs:
            text += f", loss {float(outputs['loss']):.4g}"
        if trainer.max_epochs and trainer.max_epochs > 0:
            left = (trainer.max_epochs * trainer.num_training_batches - batches) / max(rate, 1e-9)
            text += f", about {left / 60:.0f} min of training left"
        log.info(text)

    def on_validation_batch_end(self, trainer: Any, pl_module: LightningModule, *rest: Any) -> None:
        """Logs how far a long validation is."""
        self._evaluated(trainer, "validation", trainer.num_val_batches, *rest)

    def on_test_batch_end(self, trainer: Any, pl_module: LightningModule, *rest: Any) -> None:
        """Logs how far a long test is."""
        self._evaluated(trainer, "test", trainer.num_test_batches, *rest)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remembers that this epoch was validated; its training loss is not known before the epoch ends."""
        self._validated = not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Logs epoch, step, training loss and validation metrics."""
        validated, self._validated = self._validated, False
        if not validated:
            return
        metrics = trainer.callback_metrics  # means over all processes, so that all of them must ask
        if not trainer.is_global_zero:
            return
        shown = {name: float(value) for name, value in metrics.items() if name.startswith(("val/", "train/loss"))}
        text = ", ".join(f"{name} {value:.4g}" for name, value in sorted(shown.items()))
        log.info("epoch %d, step %d: %s", trainer.current_epoch + 1, trainer.global_step, text)

    def _evaluated(
        self, trainer: Any, what: str, of: list[int], outputs: Any, batch: Any, index: int, loader: int = 0
    ) -> None:
        before, now = self._last[0], time.monotonic()
        if now - before < _LINE_SECONDS or _has_bar(trainer) or not trainer.is_global_zero:
            return
        self._last = now, self._batches(trainer)
        log.info("%s: batch %d of %s", what, index + 1, of[loader])

    @staticmethod
    def _batches(trainer: Any) -> int:
        """Training batches so far."""
        return int(trainer.fit_loop.total_batch_idx) + 1


_LINE_SECONDS = 60.0


def _has_bar(trainer: Any) -> bool:
    return trainer.progress_bar_callback is not None and sys.stdout.isatty()


class ProgressBar(RichProgressBar):
    """Lightning's rich bar, refreshed every ten steps: drawing at each step costs more than it tells."""

    def __init__(self) -> None:
        super().__init__(refresh_rate=10)

    def _get_train_description(self, current_epoch: int) -> str:
        """Counts epochs from 1, as the log does; Lightning counts from 0."""
        last = self.trainer.max_epochs
        text = f"Epoch {current_epoch + 1}" + (f"/{last}" if last is not None and last > 0 else "")
        return text.ljust(len(self.validation_description))  # bars of one width

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """What stands beside the bar: the logged metrics, without the logger's version."""
        metrics: dict[str, Any] = super().get_metrics(trainer, pl_module)
        metrics.pop("v_num", None)
        return metrics


class RunClock(Callback):
    """Counts the time of a run over all its resumptions: the checkpoints carry what was spent before them.

    Args:
        started: When this process began, in seconds since the epoch.
    """

    def __init__(self, started: float) -> None:
        self.started = self.first_start = started
        self.resumed = 0
        self.fit_seconds = 0.0
        self._before = self._fit_before = 0.0
        self._fit_started = started

    def total(self) -> float:
        """Seconds of the whole run so far."""
        return self._before + time.time() - self.started

    def state_dict(self) -> dict[str, Any]:
        """Times so far, kept in every checkpoint."""
        return {
            "first_start": self.first_start,
            "resumed": self.resumed,
            "total": self.total(),
            "fit": self._fit_before + time.time() - self._fit_started,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up the times of an interrupted run."""
        self.first_start = state_dict["first_start"]
        self.resumed = state_dict["resumed"] + 1
        self._before, self._fit_before = state_dict["total"], state_dict["fit"]

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Starts the clock of the training."""
        self._fit_started = time.time()

    def fit_ended(self) -> None:
        """Stops the clock of the training."""
        self.fit_seconds = self._fit_before + time.time() - self._fit_started
