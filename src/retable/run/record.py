"""The record of a finished run: one JSON file, written last and all at once."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from retable.errors import DataError
from retable.files import write_text
from retable.run import paths

SCHEMA = 1


@dataclass(frozen=True)
class Record:
    """Everything that is known of a finished run.

    Attributes:
        command: The command line that made it.
        choices: Chosen option of each configuration group (model, data, budget, ...).
        overrides: What it was composed of.
        config: The resolved configuration.
        config_hash: Name of what was computed, see `retable.run.configuration.config_hash`.
        differs_from_paper: What the budget changed, as of `retable.run.command_line.differs_from_paper`.
        metrics: Flat numbers by ``split/name``; None for a number that is not defined.
        metric_info: For each metric its unit and direction (``higher``, ``lower`` or ``none``).
        data: Provenance: ``kind`` (real, synthetic or mixed), ``source``, ``fingerprint``, split sizes, tested split.
        model: Number of parameters and where the weights began.
        seed: The seed.
        wall_seconds: From start to record, summed over resumptions.
        peak_memory_bytes: See `retable.run.environment.peak_memory`.
        devices: See `retable.run.environment.devices`.
        versions: Package versions.
        git: Commit and dirty flag.
        wandb_id: The W&B id, or None.
        checkpoints: Paths relative to the folder, the tested one, and the epoch of the best.
        pictures: What the run drew: paths relative to the folder, each with its title, in the order in which they are
            shown; the first one tells most and stands in a table's report.
        started: Start in UTC, ISO 8601.
        finished: End in UTC, ISO 8601.
        resumed: How often the run was taken up again.
        trained: Of a test of a finished run: its folder's name, config_hash and data; None of the run itself.
        schema: Version of this layout.
    """

    command: str
    choices: dict[str, str]
    overrides: list[str]
    config: dict[str, Any]
    config_hash: str
    differs_from_paper: dict[str, list[Any]]
    metrics: dict[str, float | None]
    metric_info: dict[str, dict[str, str]]
    data: dict[str, Any]
    model: dict[str, Any]
    seed: int
    wall_seconds: float
    peak_memory_bytes: dict[str, int]
    devices: dict[str, Any]
    versions: dict[str, str | None]
    git: dict[str, Any]
    wandb_id: str | None
    checkpoints: dict[str, Any]
    pictures: dict[str, str]
    started: str
    finished: str
    resumed: int
    trained: dict[str, Any] | None = None
    schema: int = SCHEMA

    def write(self, folder: Path) -> None:
        """Writes ``record.json``: the folder then holds a finished run."""
        write_text(folder / paths.RECORD, json.dumps(asdict(self), indent=2, allow_nan=False) + "\n")


def read(folder: Path) -> Record:
    """Reads the record of a run's folder.

    Raises:
        DataError: There is none, it is damaged, or it is of another schema.
    """
    path = folder / paths.RECORD
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{folder}: not a finished run, it has no {paths.RECORD}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: damaged ({error})") from error
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        raise DataError(f"{path}: not a record of schema {SCHEMA}")
    try:
        return Record(**values)
    except TypeError as error:
        raise DataError(f"{path}: not a record of schema {SCHEMA} ({error})") from error
