"""What the documentation shows works."""

import re
from pathlib import Path

from retable.tables import spec
from retable.tables.cells import Planner

DOCS = Path(__file__).parents[2] / "docs" / "tables.md"


def test_the_table_in_the_documentation_is_short_loads_and_composes(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", DOCS.read_text(), flags=re.DOTALL)
    assert found is not None
    text = found[1]
    assert text.count("\n") < 30
    path = tmp_path / "mine" / "table1.yaml"
    path.parent.mkdir()
    path.write_text(text)
    (table,) = spec.find(["mine/1"], [tmp_path])
    plan = Planner(tmp_path / "cells.json").plan(table, "smoke", [1])
    assert len(plan) == 6
    assert len({cell.id for cell in plan.values()}) == 3, "columns that differ in their metric share their runs"
