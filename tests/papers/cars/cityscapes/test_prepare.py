"""``prepare.py`` from its command line to its record."""

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from tests.papers.cars.cityscapes import tiny_cityscapes

from retable.commands.prepare import main
from retable.errors import ConfigError, DataError, StoppedError
from retable.run.command_line import compose
from retable.run.prepare import prepare

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own


@pytest.fixture(autouse=True)
def _keep_log() -> Iterator[None]:
    """Keeps what Hydra does to the log of the process."""
    root = logging.getLogger()
    level, of_log = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = of_log


def _prepare(*words: str) -> None:
    prepare(compose("prepare/prepare", ["data=cityscapes_cars", "weights=none", "workers=1", *words]))


def test_builds_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root, output = tiny_cityscapes.write(tmp_path / "cityscapes"), tmp_path / "cars"
    words = ["data=cityscapes_cars", f"root={root}", f"output={output}", "splits=[train,val]", "weights=none"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["prepare.py", *words, "workers=1", "min_side=6"])
    main()
    shown = capsys.readouterr().out
    assert "6 cars in" in shown
    assert "dropped: 1 groups" in shown
    record = json.loads((output / "record.json").read_text())
    assert record["images"] == len(list((output / "images").iterdir())) == 6
    assert "prepare.py data=cityscapes_cars" in record["command"]
    assert record["versions"]["torchvision"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cars", "cityscapes"]  # Hydra leaves nothing


def test_variants_are_chosen_by_keys(tmp_path: Path) -> None:
    root = tiny_cityscapes.write(tmp_path / "cityscapes")
    _prepare(f"root={root}", f"output={tmp_path / 'cars'}", "splits=[val]", "form=rgba", "size=8", "background=[1,2,3]")
    (path,) = (tmp_path / "cars" / "images").iterdir()
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image.shape == (8, 8, 4)
    assert image[0, 0].tolist() == [3, 2, 1, 0]


def test_an_interruption_says_that_the_same_command_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("retable.papers.cars.cityscapes.builder.list_sources", interrupted)
    with pytest.raises(StoppedError, match="interrupted; the same command goes on with what is missing"):
        _prepare("root=cityscapes", f"output={tmp_path / 'cars'}")


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["root=absent"], DataError, "root=absent: no folder leftImg8bit in it"),
        (["root=absent", "detector.colour=1"], ConfigError, "detector.colour: there is no such key"),
        (["root=absent", "min_confidence=9"], ConfigError, "min_confidence=9.0: must be from 0 to 1"),
        (["root=absent", "_target_=retable.absent"], ConfigError, "retable.absent"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, words: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        _prepare(f"output={tmp_path / 'cars'}", *words)
    assert not (tmp_path / "cars").exists()
