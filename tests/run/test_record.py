"""Records are read as they were written, or refused in one line."""

import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tests import fuzz
from tests.tables import dummy

from retable.errors import DataError
from retable.run import record

EXAMPLE = dummy.record(["seed=1"], "abc", 1, 0.5)


def _write(folder: Path, **changes: Any) -> None:
    (folder / "record.json").write_text(json.dumps({**asdict(EXAMPLE), **changes}))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    _write(tmp_path)
    assert record.read(tmp_path) == EXAMPLE


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": {"test/a": "0.5"}}, {"metrics": [1, 2]}, {"metrics": {"test/a": True}}, {"data": None},
        {"git": None}, {"choices": {"model": 1}}, {"seed": "1"}, {"seed": 1.5}, {"overrides": "seed=1"},
        {"overrides": [1]}, {"metric_info": {"test/a": None}}, {"wall_seconds": None}, {"pictures": []}, {"trained": 3},
        {"schema": 99}, {"differs_from_paper": {"a": 1}}, {"extended": ["3"]}, {"unheard_of": 1},
    ],
    ids=str,
)  # fmt: skip
def test_another_shape_is_one_line(tmp_path: Path, changes: dict[str, Any]) -> None:
    _write(tmp_path, **changes)
    with pytest.raises(DataError, match=r"record\.json: [^\n]*$"):
        record.read(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "null", '"a"', "[" * 100_000, '{"a":' * 100_000, "\ufeff{}", "{} {}"])
def test_another_file_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(DataError, match=r"record\.json: [^\n]*$"):
        record.read(tmp_path)


def test_a_folder_in_its_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "record.json").mkdir()
    with pytest.raises(DataError, match=r"record\.json: damaged"):
        record.read(tmp_path)


@fuzz.mark
def test_damage_is_one_line_or_harmless(tmp_path: Path) -> None:
    for seed in range(fuzz.cases(200)):
        chance = random.Random(seed)
        tree = json.loads(json.dumps(asdict(EXAMPLE)))
        text = (
            json.dumps(fuzz.altered(chance, tree)).encode()
            if seed % 2
            else fuzz.damaged(chance, json.dumps(tree).encode())
        )
        (tmp_path / "record.json").write_bytes(text)
        message = ""
        try:
            found = record.read(tmp_path)
        except DataError as error:
            message = str(error)
        if message:
            assert "record.json: " in message, seed
            assert "\n" not in message, seed
        else:
            assert all(isinstance(value, int | float | None) for value in found.metrics.values()), seed
