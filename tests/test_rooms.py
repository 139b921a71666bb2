"""The house: which room may know which other, and that what serves all papers names none."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from retable.run.places import CONFIGURATIONS, EXPERIMENTS

PACKAGE = Path(__file__).parents[1] / "src" / "retable"
PAPERS = sorted(path.name for path in (PACKAGE / "papers").iterdir() if (path / "__init__.py").is_file())
# for each room the rooms above it, which it must not know
SHARED = ("boxes", "nn", "metrics", "data", "synthetic", "visualization")
ABOVE = {
    **dict.fromkeys(SHARED, ("detection", "classification", "run", "tables", "search", "papers", "commands")),
    **dict.fromkeys(("detection", "classification"), ("tables", "search", "papers", "commands")),
    "run": ("detection", "classification", "tables", "search", "papers", "commands"),
    "tables": ("detection", "classification", "search", "papers", "commands"),
    "search": ("detection", "classification", "papers", "commands"),
    "papers": ("tables", "search", "commands"),
}


def sources(room: str) -> Iterator[Path]:
    return (path for path in (PACKAGE / room).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("room", ABOVE)
def test_arrows_point_down(room: str) -> None:
    for path in sources(room):
        for name in imported(path):
            for other in ABOVE[room]:
                assert not f"{name}.".startswith(f"retable.{other}."), f"{path} imports {name}"


@pytest.mark.parametrize("paper", PAPERS)
def test_papers_do_not_know_each_other(paper: str) -> None:
    for path in sources(f"papers/{paper}"):
        for name in imported(path):
            assert not any(name.startswith(f"retable.papers.{other}") for other in PAPERS if other != paper), path


@pytest.mark.parametrize("room", ["run", "tables", "search", "commands"])
def test_what_serves_all_papers_names_no_model_dataset_or_file_of_theirs(room: str) -> None:
    options = {path.stem for group in ("model", "data") for path in (CONFIGURATIONS / group).glob("*.yaml")}
    drawn = "".join(path.read_text() for paper in ("papers", "detection", "classification") for path in sources(paper))
    files = {Path(name).name for name in re.findall(r"plots/[\w/]+\.png", drawn)}
    names = options | files | set(PAPERS)
    word = re.compile(rf"\b({'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})\b", re.IGNORECASE)
    for path in sources(room):
        text = path.read_text(encoding="utf-8")
        if room == "commands":  # their help shows examples
            text = re.sub(r'^""".*?"""', "", text, count=1, flags=re.DOTALL)
        for line in text.splitlines():
            assert not word.search(line), f"{path}: {line.strip()}"


def test_every_paper_has_one_name() -> None:
    assert {path.name for path in EXPERIMENTS.iterdir()} == set(PAPERS)
    docs = PACKAGE.parents[1] / "docs"
    for paper in PAPERS:
        assert (docs / f"{paper}.md").is_file(), paper
        assert (PACKAGE / "papers" / paper / "README.md").is_file(), paper
