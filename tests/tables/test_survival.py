"""Twenty times the orchestrator, a runner or a cell is killed at a random moment: nothing is lost or done twice."""

import contextlib
import random
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from tests.tables.test_reproduce import Start, records, start

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

__all__ = ["start"]
WORDS = ("table=demo/1", "budget=smoke", "seeds=5", "engine.workers=2")


def processes(orchestrator: subprocess.Popen[str]) -> dict[str, list[psutil.Process]]:
    """The processes of a table by kind: orchestrator, runner, cell."""
    found: dict[str, list[psutil.Process]] = {"orchestrator": [], "runner": [], "cell": []}
    try:
        top = psutil.Process(orchestrator.pid)
        found["orchestrator"].append(top)
        for child in top.children(recursive=True):
            words = " ".join(child.cmdline())
            found["runner" if "retable.tables.runner" in words else "cell"].append(child)
    except psutil.Error:
        pass  # it ended while we looked
    return found


def test_twenty_kills(start: Start, tmp_path: Path) -> None:
    chance = random.Random(7)
    kills = 0
    tokens: dict[Path, int] = {}
    while kills < 20:
        process = start(*WORDS, DUMMY_SECONDS="0.4")
        for kind in [*chance.sample(("cell", "runner"), chance.randrange(3)), "orchestrator"]:
            # from its own start-up to the middle of the cells
            time.sleep(chance.uniform(0.3, 2.5))
            victims = processes(process)[kind]
            with contextlib.suppress(IndexError, psutil.Error):  # there is none, or it was faster
                chance.choice(victims).kill()
                kills += 1
        process.communicate()
        for path in records(tmp_path):
            stamp = path.stat().st_ino
            assert tokens.setdefault(path, stamp) == stamp, "a cell that was done has been done again"
        if len(tokens) == 30:  # all done already: the rest of the kills must find nothing to spoil, on fresh cells
            for path in list(tokens)[:15]:
                path.unlink()
                del tokens[path]
    process = start(*WORDS)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert len(records(tmp_path)) == 30
    for path in records(tmp_path):
        assert tokens.get(path, path.stat().st_ino) == path.stat().st_ino
    assert not list((tmp_path / "outputs" / "cells").glob("*/overlapped"))
    assert not list((tmp_path / "outputs" / "cells").glob("*/ran_again"))

    untouched = start(*WORDS, outputs="untouched")
    output, _ = untouched.communicate()
    assert untouched.returncode == 0, output
    reports = [tmp_path / outputs / "tables/demo/1/smoke/report.md" for outputs in ("outputs", "untouched")]
    assert reports[0].read_text() == reports[1].read_text()
