"""A new paper, from an empty folder to its table; from the checkout, and from the installed package."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from tests import programs

from retable.errors import ConfigError
from retable.run import places, scaffold

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

ROOT = Path(__file__).parents[2]
Call = Callable[..., "subprocess.CompletedProcess[str]"]
WORDS = ("papers=mine", "model=mine_net", "data=mine_shapes", "budget=smoke", "trainer=cpu", "logger=csv")


def _call(program: list[str], folder: Path, path: str, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path, "HOME": str(folder)}
    return subprocess.run([*program, *words], cwd=folder, env=environment, text=True, capture_output=True, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built package, unpacked as an installation has it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.mark.parametrize("source", ["checkout", "wheel"])
def test_a_new_paper_trains_tests_predicts_and_makes_its_table(
    tmp_path: Path, source: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))

    def call(name: str, *words: str) -> "subprocess.CompletedProcess[str]":
        if source == "checkout":
            code, told = programs.call(name, *words, folder=tmp_path, HOME=str(tmp_path), PYTHONPATH="")
            return subprocess.CompletedProcess(words, code, told, told)
        console = [sys.executable, "-c", "from retable.commands import main; main()"]
        return _call([*console, name], tmp_path, str(request.getfixturevalue("wheel")), *words)

    assert call("train", "new_paper=mine").returncode == 0
    trained = call("train", *WORDS, "hydra.run.dir=run")
    assert trained.returncode == 0, trained.stderr
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    assert record["data"]["source"] == "discs and squares"
    assert record["differs_from_paper"]["model.network.channels"] == [4, 32]
    tested = call("test", "papers=mine", "run=run", "accelerator=cpu")
    assert tested.returncode == 0, tested.stderr
    (again,) = (tmp_path / "run" / "tests").glob("*/record.json")
    assert json.loads(again.read_text())["metrics"]["test/accuracy"] == record["metrics"]["test/accuracy"]
    cv2.imwrite(str(tmp_path / "photo.png"), cv2.circle(cv2.UMat(40, 40, cv2.CV_8UC3), (20, 20), 9, (255,) * 3, -1))
    predicted = call("predict", "papers=mine", "run=run", "input=photo.png", "output=found")
    assert predicted.returncode == 0, predicted.stderr
    assert re.search(r"photo.png: (disc|square) 0\.\d+", predicted.stdout)
    only = ["only=row:Wide"] if source == "wheel" else []  # a cell is a process that waits for torch
    table = call("reproduce", "papers=mine", "table=mine/1", "budget=smoke", "wandb=none", "engine.workers=2", *only)
    assert table.returncode == 0, table.stderr
    assert "discs and squares" in (tmp_path / "outputs" / "tables" / "mine" / "1" / "smoke" / "report.md").read_text()
    if source == "checkout":
        own = _call([sys.executable, "-m", "pytest", "-q", "mine/tests"], tmp_path, "")
        assert own.returncode == 0, own.stdout


def test_the_wheel_holds_configurations_tables_and_all_else_that_is_read(wheel: Path) -> None:
    package = wheel / "retable"
    for name in ("conf", "experiments"):
        files = {path.relative_to(ROOT / name) for path in (ROOT / name).rglob("*") if path.is_file()}
        assert {path.relative_to(package / name) for path in (package / name).rglob("*") if path.is_file()} == files
    sources = {path.relative_to(ROOT / "src") for path in (ROOT / "src").rglob("*") if path.suffix not in (".pyc", "")}
    assert {path for path in sources if "__pycache__" not in path.parts} <= {
        path.relative_to(wheel) for path in wheel.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("name", ["Mine", "1st", "my-paper", "larsd", ""])
def test_a_name_that_cannot_be_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f"new_paper={name}: "):
        scaffold.write(name, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ConfigError, match="is there already and not empty"):
        scaffold.write("mine", tmp_path)


@pytest.mark.parametrize("word", ["papers=nowhere", "papers=."])
def test_a_folder_without_a_paper_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(places.VARIABLE, "")
    with pytest.raises(ConfigError, match=r"^papers: "):
        places.without_papers(["model=larsd", word])


def test_papers_add_up_and_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(places.VARIABLE, "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("one", "two"):
        scaffold.write(name, tmp_path / name)
    assert places.papers_word() == []
    words = places.without_papers(["model=two_net", f"papers={tmp_path / 'one'}{os.pathsep}{tmp_path / 'two'}"])
    assert words == ["model=two_net"]
    assert [path.parent.name for path in places.configurations()[1:]] == ["one", "two"]
    assert places.papers_word() == [f"papers={tmp_path / 'one'}{os.pathsep}{tmp_path / 'two'}"]
