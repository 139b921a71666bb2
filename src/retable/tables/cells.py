"""The cells of tables: one row, one column, one seed each; equal ones are the same cell.

A cell is a training, or a test of another cell's training.

A cell's id is the hash of its composed configuration. Composing takes some tenths of a second, so it is done once for
all seeds of a row in a column, and ids are remembered in a file that is dropped whenever a configuration file or schema
changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from retable import options
from retable.errors import ConfigError
from retable.files import cache_folder, write_text
from retable.run import configuration, places, tested
from retable.run.composer import Composer
from retable.run.configuration import check_run, hash_of, identity
from retable.tables.spec import Column, Row, Table

_ANY_SEED = 0x5EED << 40  # no seed that anybody gives

Place = tuple[str, str, int]
"""Row, column and seed."""


@dataclass(frozen=True)
class Cell:
    """One run that a table needs.

    Attributes:
        id: Hash of its configuration without paths, loggers and devices.
        overrides: What to give to ``train.py``, budget and seed among them.
        seed: The seed.
        devices: How many GPUs (or CPU processes) it asks for.
        of: The training that it tests; None for a training.
        changes: Of a test what is other than in that training, to give to ``test.py``.
    """

    id: str
    overrides: tuple[str, ...]
    seed: int
    devices: int
    of: Cell | None = None
    changes: tuple[str, ...] = ()


class Planner:
    """Composes cells and remembers their ids.

    Args:
        cache: File for the ids; None: one of the user's own for these configurations.
        program: The configuration in ``conf/`` that cells are runs of.
    """

    def __init__(self, cache: Path | None = None, program: str = "train") -> None:
        self._cache = cache or _default_cache()
        self._composer = Composer(program)
        self._digest = _digest_of_configurations()
        self._changed = False
        self._known: dict[str, list[Any]] = {}
        try:
            stored = json.loads(self._cache.read_text(encoding="utf-8"))
            if stored["digest"] == self._digest:
                self._known = stored["cells"]
        except (OSError, ValueError, KeyError, TypeError):
            pass  # it is only a cache

    def plan(self, table: Table, budget: str, seeds: Sequence[int], extra: Sequence[str] = ()) -> dict[Place, Cell]:
        """The cells of a table by row, column and seed, without the rows that are not available.

        Raises:
            ConfigError: A row or column does not compose; the message names file and line.
        """
        available = [row for row in table.rows.values() if not row.not_available]
        found: dict[tuple[str, str], dict[int, Cell]] = {}
        for row in sorted(available, key=lambda row: bool(row.of)):  # a training comes before its tests
            for column in table.columns.values():
                given = (*table.base, f"budget={budget}", *column.overrides, *table.overrides_of(row), *extra)
                of = found[row.of, column.label] if row.of and table.shared else {}
                found[row.label, column.label] = self._cells(table, row, column, given, seeds, of)
        return {
            (row.label, column, seed): cell
            for row in available
            for column in table.columns
            for seed, cell in found[row.label, column].items()
        }

    def save(self) -> None:
        """Keeps the ids for the next time; where that is impossible nothing is lost but time."""
        if self._changed:
            with contextlib.suppress(OSError):
                write_text(self._cache, json.dumps({"digest": self._digest, "cells": self._known}))

    def _cells(
        self,
        table: Table,
        row: Row,
        column: Column,
        given: tuple[str, ...],
        seeds: Sequence[int],
        of: Mapping[int, Cell],
    ) -> dict[int, Cell]:
        """The cells of a row in a column, by seed; ``of`` are the trainings that they test, none if they are some."""
        keys = {seed: " ".join([*given, f"seed={seed}", *([f"of={of[seed].id}"] if of else [])]) for seed in seeds}
        missing = {seed: key for seed, key in keys.items() if key not in self._known}
        if missing:
            config = self._checked(table, row, column, given, of.get(next(iter(missing))))
            devices = config.trainer.devices
            config.seed = _ANY_SEED  # resolved once for all seeds, and then put wherever the configuration has it
            values = identity(config)
            for seed, key in missing.items():
                of_seed = {name: seed if value == _ANY_SEED else value for name, value in values.items()}
                cell = tested.test_hash(of_seed, of[seed].id) if of else hash_of(of_seed)
                self._known[key] = [cell, devices if not of and isinstance(devices, int) and devices > 0 else 1]
            self._changed = True
        changes = row.overrides if of else ()
        return {
            seed: Cell(self._known[key][0], (*given, f"seed={seed}"), seed, self._known[key][1], of.get(seed), changes)
            for seed, key in keys.items()
        }

    def _checked(self, table: Table, row: Row, column: Column, given: tuple[str, ...], of: Cell | None) -> DictConfig:
        try:
            config = self._composer.compose(given)
            check_run(config)
            if of is not None:
                trained = self._composer.compose(of.overrides)
                trained.seed = config.seed
                tested.changes(config, identity(trained))
        except ConfigError as error:
            of_column = any(_mentions(str(error), override) for override in column.overrides)
            part, what = (column, "column") if of_column else (row, "row")
            place = f"{table.path}:{part.line}: " if part.line else ""
            raise ConfigError(f"{place}{what} {part.label}: {error}") from error
        return config


def _mentions(message: str, override: str) -> bool:
    key, _, value = override.lstrip("+~").partition("=")
    return message.startswith(f"{key}:") or f"{value!r}" in message


def _default_cache() -> Path:
    place = hashlib.sha256(os.pathsep.join(map(str, places.configurations())).encode()).hexdigest()[:12]
    return cache_folder() / f"cells-{place}.json"


def _digest_of_configurations() -> str:
    digest = hashlib.sha256()
    configurations = (path for folder in places.configurations() for path in folder.rglob("*.yaml"))
    schemas = (path for _, path in places.schema_files())
    for path in sorted([*configurations, *schemas, Path(configuration.__file__), Path(options.__file__)]):
        digest.update(f"{path}\n".encode() + path.read_bytes())
    return digest.hexdigest()
