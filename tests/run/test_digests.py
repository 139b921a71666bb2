"""Digests of code: what counts as a change, which files count, and what the disk says later."""

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from retable.run import digests
from retable.run.environment import _is_change

NET = '''\
"""A network."""
WIDTH = 8
"""Channels."""

def layers(x):
    """Applies them."""
    return dropout(pool(x), 0.5)  # in this order
'''


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("in this order", "in that order", True),
        ('"""A network."""', "# a network", True),
        ('"""Channels."""\n', "", True),
        ("Applies them", "Calls them", True),
        ("(pool(x), 0.5)", "(\n        pool(x), 0.5,\n    )", True),
        ("dropout(pool(x), 0.5)", "pool(dropout(x, 0.5))", False),
        ("0.5", "0.4", False),
        ("WIDTH = 8", "WIDTH = '8'", False),
        ("return dropout", "return (dropout", False),  # half edited
    ],
)
def test_code_counts_and_words_about_it_do_not(old: str, new: str, same: bool) -> None:
    assert old in NET
    changed = NET.replace(old, new).encode()
    assert (digests.digest(changed) == digests.digest(NET.encode())) is same


@pytest.fixture
def paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A paper's folder of which this process has loaded the network, and of another package the schema alone."""
    files = {
        "mine/__init__.py": "", "mine/schema.py": "A = 1", "mine/net.py": NET, "mine/unused.py": "",
        "mine/drawing.py": "from retable.kernels import kernel", "mine/weights.pt": "weights",
        "other/__init__.py": "", "other/schema.py": "B = 1",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("RETABLE_PAPERS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(digests, "_SEEN", {})
    digests._beside.cache_clear()
    for name in ("mine/__init__", "mine/schema", "mine/net", "other/__init__", "other/schema"):
        monkeypatch.setitem(sys.modules, name.replace("/", "."), SimpleNamespace(__file__=f"{tmp_path}/{name}.py"))
    return tmp_path


def test_what_is_loaded_counts_with_kernels_and_weights_beside_it(paper: Path) -> None:
    found = digests.loaded()
    assert {"retable.run.digests", "retable.errors", "retable"} <= set(found)
    ours = [name for name in found if not name.startswith("retable")]
    assert ours == ["mine", "mine.drawing", "mine.net", "mine.schema", "mine/weights.pt", "other"]


def test_the_disk_tells_what_has_changed_since(paper: Path) -> None:
    found = digests.loaded()
    assert digests.Disk().changed(found) == ()
    (paper / "mine/net.py").write_text(NET.replace("0.5", "0.25"))
    (paper / "mine/weights.pt").write_text("others")
    (paper / "mine/drawing.py").unlink()
    assert digests.Disk().changed(found) == ("mine.drawing", "mine.net", "mine/weights.pt")
    assert digests.loaded()["mine.net"] == found["mine.net"], "what runs is what was loaded"


def test_a_thousand_cells_parse_each_file_once(paper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, disk, parsed = digests.loaded(), digests.Disk(), []
    monkeypatch.setattr(digests, "digest", lambda *given: parsed.append(given) or "d")
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    assert [disk.changed(found) for _ in range(1000)] == [()] * 1000
    assert parsed == [], "the cache has them"
    os.utime(paper / "mine/net.py", (1, 1))
    monkeypatch.setattr(time, "monotonic", lambda: 102.0)
    assert disk.changed(found) == ("mine.net",)
    assert len(parsed) == 1


def test_untracked_sources_make_a_repository_dirty() -> None:
    lines = [" M README.md", "?? src/new.py", '?? "conf/model/a b.yaml"', "?? notes.txt", "?? picture.png"]
    assert [line for line in lines if _is_change(line)] == lines[:3]
