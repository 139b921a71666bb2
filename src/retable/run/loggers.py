"""Where the curves go: ``metrics.csv`` in the run's folder, and Weights & Biases."""

import contextlib
import csv
import io
import logging
import os
import queue
import threading
import uuid
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from lightning_utilities.core.rank_zero import rank_zero_only
from pytorch_lightning.loggers import Logger

from retable.errors import ConfigError
from retable.files import write_text
from retable.metrics_csv import read_rows
from retable.run import paths
from retable.run.schema import LoggerConfig, Mode

log = logging.getLogger(__name__)

_SILENT_SECONDS = 2.0


class CsvLogger(Logger):
    """Keeps all logged metrics in one table with a column for each name and a row for each logged step.

    An existing table is taken up again: rows from the first newly logged step on are replaced, so that a resumed run
    leaves the table of an uninterrupted one.

    Args:
        folder: The run's folder; the table is ``metrics.csv`` in it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.path = folder / paths.METRICS
        self._rows: list[dict[str, Any]] = [*read_rows(self.path)] if self.path.exists() else []
        self._fresh = True

    @property
    def name(self) -> str:
        """Name of the logger."""
        return "csv"

    @property
    def version(self) -> str:
        """The table has no versions: its folder is the run."""
        return ""

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Nothing: the run keeps its configuration in ``config.yaml``."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Adds a row."""
        step = -1 if step is None else step
        if self._fresh:
            self._rows = [row for row in self._rows if int(row["step"]) < step]
            self._fresh = False
        row = {name: float(value) for name, value in metrics.items()}
        epoch = int(row.pop("epoch", -1))
        self._rows.append({"epoch": epoch, "step": step, **row})

    @rank_zero_only
    def save(self) -> None:
        """Writes the table, all or nothing."""
        names = sorted({name for row in self._rows for name in row} - {"epoch", "step"})
        text = io.StringIO()
        writer = csv.DictWriter(text, ["epoch", "step", *names], lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        write_text(self.path, text.getvalue())

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Writes the table at the end of fit and test."""
        if self._rows:
            self.save()


class WandbLogger(Logger):
    """Weights & Biases from a thread of its own: its failures and delays never reach the training.

    All calls are queued; the first one that fails is logged as a warning and W&B is left alone from then on.
    wandb is imported in that thread, so the run does not wait for it either.

    Args:
        folder: The run's folder; W&B's files and the run's id (``wandb_id.txt``) are kept in it.
        settings: Arguments of ``wandb.init``.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        super().__init__()
        self.folder = folder
        self.run_id = _keep_id(folder)
        self.failed = False
        self._settings = settings
        self._calls: queue.Queue[Callable[[Any], None] | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        """Name of the W&B project."""
        return str(self._settings["project"])

    @property
    def version(self) -> str:
        """The W&B id of the run."""
        return self.run_id

    @rank_zero_only
    def start(self, config: dict[str, Any]) -> None:
        """Begins the W&B run with the run's resolved configuration."""

        def work() -> None:
            run: Any = None
            try:
                import wandb

                run = wandb.init(
                    id=self.run_id,
                    resume="allow",
                    dir=self.folder,
                    config=config,
                    settings=wandb.Settings(silent=True, console="off"),
                    **self._settings,
                )
                while (call := self._calls.get()) is not None:
                    call(run)
                run.finish()
            except BaseException as error:  # whatever W&B does, the run goes on
                if self.failed:
                    return  # told already
                self.failed = True
                log.warning("W&B is left alone from here on: %s: %s", type(error).__name__, error)

        self._thread = threading.Thread(target=work, name="wandb", daemon=True)
        self._thread.start()

    @rank_zero_only
    def post(self, call: Callable[[Any], None]) -> None:
        """Queues something to do with the W&B run, such as logging pictures; it is given the run."""
        if not self.failed:
            self._calls.put(call)

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Nothing: `start` was given the configuration."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Queues metrics under Lightning's step, named ``trainer/step`` as W&B's own step only ever rises."""
        values = {**metrics, "trainer/step": step}
        self.post(lambda run: run.log(values))

    @rank_zero_only
    def log_pictures(self, pictures: dict[str, Path]) -> None:
        """Queues image files under their names."""

        def call(run: Any) -> None:
            import wandb

            run.log({name: wandb.Image(str(path)) for name, path in pictures.items()})

        self.post(call)

    @rank_zero_only
    def finish(self, summary: dict[str, Any], seconds: float = 60.0) -> None:
        """Writes the summary and waits for W&B to finish, for a limited time."""
        self.post(lambda run: run.summary.update(summary))
        self._calls.put(None)
        if self._thread is not None:
            self._thread.join(_SILENT_SECONDS)
            if self._thread.is_alive():
                log.info("waiting at most %.0f s for W&B to take the rest; the record is written", seconds)
            self._thread.join(seconds)
            if self._thread.is_alive():
                self.failed = True
                log.warning(
                    "W&B has not finished within %.0f s and is left behind; `wandb sync %s` sends what it has later",
                    seconds,
                    self.folder / "wandb" / "latest-run",
                )
                _end_service()


def _end_service() -> None:
    """Ends wandb's own process, for which Python would wait at its end, most of a minute more and without a word."""
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if "wandb" in child.name():
                child.kill()


def _keep_id(folder: Path) -> str:
    if given := os.environ.get("WANDB_RUN_ID"):  # a W&B agent has chosen it
        return given
    path = folder / paths.WANDB_ID
    if path.exists() and (kept := path.read_text(encoding="utf-8").strip()):
        return kept
    fresh = uuid.uuid4().hex[:12]
    if int(os.environ.get("LOCAL_RANK", 0)) == 0:
        write_text(path, fresh + "\n")
    return fresh


def build_loggers(config: LoggerConfig, folder: Path, tags: list[str]) -> list[Logger]:
    """Builds what ``conf/logger`` asks for.

    Args:
        config: The options.
        folder: The run's folder.
        tags: The run's tags.

    Raises:
        ConfigError: W&B is to be online and there is no login.
    """
    loggers: list[Logger] = []
    if config.csv:
        loggers.append(CsvLogger(folder))
    if config.wandb:
        if config.mode is Mode.online:
            _check_login()
        names = ("project", "entity", "name", "group", "job_type", "notes")
        settings = {name: getattr(config, name) for name in names}
        loggers.append(WandbLogger(folder, {**settings, "mode": config.mode.name, "tags": tags}))
    return loggers


def _check_login() -> None:
    if os.environ.get("WANDB_API_KEY"):
        return
    import wandb

    if not wandb.api.api_key:
        raise ConfigError(
            "logger.mode=online needs a W&B login: run `wandb login`, set WANDB_API_KEY, "
            "or stay with logger.mode=offline"
        )
