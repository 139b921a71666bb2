"""The record of a finished run: one JSON file, written last and all at once."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

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
        code: Digests of the code that made it, as of `retable.run.digests.loaded`; empty where none are known.
        git: Commit and dirty flag.
        wandb_id: The W&B id, or None.
        checkpoints: Paths relative to the folder, the tested one, and the epoch of the best.
        pictures: What the run drew: paths relative to the folder, each with its title, in the order in which they are
            shown; the first one tells most and stands in a table's report.
        started: Start in UTC, ISO 8601.
        finished: End in UTC, ISO 8601.
        resumed: How often the run was taken up again.
        extended: Numbers of epochs at which the run had been finished before it was given more of them. Its schedule
            was made anew each time, so that it is not the run that it would have been with as many from the start.
        trained: Of a test of a finished run: its folder's name, config_hash, data and when it was finished; None of the
            run itself. The config_hash of a test is that of `retable.run.tested.test_hash`.
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
    code: dict[str, str] = field(default_factory=dict)
    extended: list[int] = field(default_factory=list)
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
        values = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise DataError(f"{folder}: not a finished run, it has no {paths.RECORD}") from error
    except (OSError, ValueError, RecursionError) as error:  # a UnicodeDecodeError is a ValueError
        raise DataError(f"{path}: damaged ({str(error).splitlines()[0]})") from error
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        raise DataError(f"{path}: not a record of schema {SCHEMA}")
    for name, wanted in _types().items():
        if name in values and not _fits(values[name], wanted):
            raise DataError(f"{path}: damaged, {name} is not of its type but {str(values[name])[:40]!r}")
    try:
        return Record(**values)
    except TypeError as error:
        raise DataError(f"{path}: not a record of schema {SCHEMA} ({error})") from error


def tested_fingerprint(data: Mapping[str, Any]) -> Any:
    """The fingerprint of the tested split in the data of a record; of all data where splits have none."""
    return (data.get("fingerprints") or {}).get(data.get("tested_split"), data.get("fingerprint"))


@cache
def _types() -> dict[str, Any]:
    """The annotated types, which Python makes anew each time that it is asked."""
    return get_type_hints(Record)


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a value out of JSON is of an annotated type."""
    if wanted is Any or type(value) is wanted:
        return True
    kind, parts = _parts(wanted)
    if kind is UnionType:
        return any(_fits(value, part) for part in parts)
    if kind in (dict, list):
        wanted = parts[-1]
        if wanted is Any or not isinstance(value, kind):
            return isinstance(value, kind)
        values = value.values() if kind is dict else value
        return {*map(type, values)} <= {wanted} or all(_fits(one, wanted) for one in values)
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return wanted is type(None) and value is None


@cache
def _parts(wanted: Any) -> tuple[Any, tuple[Any, ...]]:
    """What an annotated type is made of, which takes longer to ask than to compare a record with it."""
    return get_origin(wanted), get_args(wanted)
