"""Every file in experiments/ is loaded, and every row of it composed."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.papers.larsd.variants import VARIANTS

from retable.errors import ConfigError
from retable.tables import spec
from retable.tables.cells import Planner

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

NAMES = list(spec.files())


@pytest.mark.parametrize("name", NAMES)
def test_every_row_composes(name: str, tmp_path: Path) -> None:
    # under one budget: budgets are sizes and nothing else (see tests/run/test_configuration.py)
    (table,) = spec.find([name])
    plan = Planner(tmp_path / "cells.json").plan(table, "small", [1, 2])
    rows = [row.label for row in table.rows.values() if not row.not_available]
    assert set(plan) == {(row, column, seed) for row in rows for column in table.columns for seed in (1, 2)}
    found = {label: (table.overrides_of(row), row.of) for label, row in table.rows.items()}
    runs = {(found[row], table.columns[column].overrides, seed) for row, column, seed in plan}
    assert len({cell.id for cell in plan.values()}) == len(runs), "rows that are told apart by nothing but their labels"
    assert table.claims
    printed = {row for row, _ in table.printed}
    claimed = {term.row for claim in table.claims for link in claim.links for term in link.terms}
    assert set(table.rows) == printed | claimed, "a row that the paper says nothing of"


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_told_apart(name: str) -> None:
    (table,) = spec.find([name])
    rows = [row for row in table.rows.values() if not row.not_available]
    assert len({(table.overrides_of(row), row.of, row.metric_part) for row in rows}) == len(rows)


def test_rows_that_only_evaluate_are_tests_of_the_trainings_of_another(tmp_path: Path) -> None:
    (table,) = spec.find(["larsd/2"])
    planner = Planner(tmp_path / "cells.json")
    plan = planner.plan(table, "smoke", [1, 2])
    trained, tested = plan["Baseline", "RSSD", 2], plan["LARSD-3", "RSSD", 2]
    assert trained.of is None
    assert tested.of == trained
    assert tested.changes == ("model.lasa=diamond-9",)
    assert plan == Planner(tmp_path / "other.json").plan(table, "smoke", [1, 2])
    planner.save()
    assert plan == Planner(tmp_path / "cells.json").plan(table, "smoke", [1, 2]), "as they are remembered"
    own = planner.plan(replace(table, shared=False), "smoke", [1, 2])
    assert own["Baseline", "RSSD", 2] == trained
    assert own["LARSD-3", "RSSD", 2].of is None
    assert own["LARSD-3", "RSSD", 2].id != tested.id
    assert "model.lasa=diamond-9" in own["LARSD-3", "RSSD", 2].overrides


def test_a_row_cannot_change_in_a_test_what_acts_in_training(tmp_path: Path) -> None:
    (table,) = spec.find(["larsd/2"])
    planner = Planner(tmp_path / "cells.json")
    planner.plan(spec.extend(table, {"LARSD-3": "test_checkpoint=last"}, {}), "smoke", [1])
    with pytest.raises(ConfigError, match=r"table2\.yaml:\d+: row LARSD-3: model\.lr: it acts in training"):
        planner.plan(spec.extend(table, {"LARSD-3": "model.lr=0.1"}, {}), "smoke", [1])


def test_larsd_shares_cells_between_tables(tmp_path: Path) -> None:
    planner = Planner(tmp_path / "cells.json")
    plans = [planner.plan(table, "small", [1]) for table in spec.find(["larsd/*"])]
    distinct = {cell.id for plan in plans for (_, column, _), cell in plan.items() if column == "RSSD"}
    assert len(distinct) == 13, "12 methods, and LARSD-11 both trained by itself (Table I) and a test of LARSD-10's"
    same = {plan["Baseline", "RSSD", 1].id for plan in plans[1:]}
    assert len(same) == 1


def test_larsd_rows_are_the_variants_that_the_model_is_tested_with(tmp_path: Path) -> None:
    from retable.run.command_line import compose
    from retable.run.configuration import config_hash

    planner = Planner(tmp_path / "cells.json")
    for table in spec.find(["larsd/*"]):
        for (row, _, _), cell in planner.plan(replace(table, shared=False), "small", [1]).items():
            if "data=hrsd" in cell.overrides:
                words = ["model=larsd", "data=hrsd", "data.scenes_seed=1", "budget=small", "seed=1", *VARIANTS[row]]
                assert cell.id == config_hash(compose("train", words)), row


def test_ids_are_remembered_until_a_configuration_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (table,) = spec.find(["larsd/2"])
    first = Planner(tmp_path / "cells.json")
    plan = first.plan(table, "smoke", [1])
    first.save()
    monkeypatch.setattr("retable.run.composer.compose", lambda *_: pytest.fail("composed again"))
    assert Planner(tmp_path / "cells.json").plan(table, "smoke", [1]) == plan
    monkeypatch.setattr("retable.tables.cells._digest_of_configurations", lambda: "changed")
    with pytest.raises(pytest.fail.Exception):
        Planner(tmp_path / "cells.json").plan(table, "smoke", [1])


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("model.lasa=rectangle-9", "model.lsaa=rectangle-9", "row LARSD-1: model.lsaa: there is no such key"),
        ("RSSD: data=hrsd", "RSSD: data=hrsdd", "column RSSD: data: there is no 'hrsdd'; did you mean hrsd?"),
        ("RSSD: data=hrsd", "RSSD: data=ssdd", "data.root: no value"),
    ],
)
def test_a_row_that_does_not_compose_is_told_with_file_and_line(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    text = spec.files()["larsd/2"].read_text()
    line = text[: text.index(old)].count("\n") + 1
    path = tmp_path / "table2.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        Planner(tmp_path / "cells.json").plan(spec.load(path, "larsd/2"), "small", [1])
    assert problem in str(caught.value)
    assert str(caught.value).startswith(f"{path}:")
    if "root" not in problem:
        assert str(caught.value).startswith(f"{path}:{line}:")
