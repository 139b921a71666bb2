import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tables.dummy import record

from retable.errors import ConfigError
from retable.tables import lease, schedule
from retable.tables.engines import Job
from retable.tables.engines.local import LocalEngine, visible_gpus
from retable.tables.schema import LocalEngineConfig
from retable.tables.store import Failure, State, Store, is_done, write_failure

TELL = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def job(store: Store, key: str, code: str = "pass", devices: int = 1) -> Job:
    return Job(key, store.folder(key), (sys.executable, "-c", code, str(store.folder(key) / "told.json")), devices)


def told(store: Store, key: str) -> dict[str, str]:
    values: dict[str, str] = json.loads((store.folder(key) / "told.json").read_text())
    return values


class Recorded:
    """An engine that keeps what it is given and ends jobs when told."""

    workers = 1

    def __init__(self, codes: dict[str, int]) -> None:
        self.codes, self.started, self.stopped = codes, list[str](), False
        self._running: list[str] = []
        self.on_start: Callable[[str], None] = lambda key: None

    def start(self, job: Job) -> bool:
        if self._running:
            return False
        self.started.append(job.key)
        self.on_start(job.key)
        self._running.append(job.key)
        return True

    def ended(self) -> dict[str, int]:
        ended, self._running = {key: self.codes.get(key, 1) for key in self._running}, []
        return ended

    def stop(self) -> None:
        self.stopped = True


def test_each_job_is_started_once_in_order_whatever_becomes_of_it(store: Store) -> None:
    record([], "b", 1, 0.5).write(store.folder("b"))
    engine = Recorded({"a": 1, "c": 6})
    progress = schedule.run([job(store, key) for key in "abc"], engine, store)
    assert engine.started == ["a", "c"], "b is done already"
    assert engine.stopped
    assert progress.done == ["b"]
    assert {key: failure.exit_code for key, failure in progress.failed.items()} == {"a": 1, "c": 6}
    assert "could not be written" in progress.failed["c"].reason


def test_a_job_waits_for_the_one_that_it_comes_after_and_fails_with_it(store: Store) -> None:
    engine = Recorded({"a": 0, "b": 1})
    record([], "done", 1, 0.5).write(store.folder("done"))
    after = {"of a": "a", "of b": "b", "of done": "done", "of none": "failed"}
    write_failure(store.folder("failed"), Failure("why", 1, (), 1, transient=False, finished=""))
    jobs = [
        *(replace(job(store, key), after=before) for key, before in after.items()),
        job(store, "b"),
        job(store, "a"),
    ]
    engine.on_start = lambda key: record([], key, 1, 0.5).write(store.folder(key)) if key != "b" else None
    progress = schedule.run(jobs, engine, store)
    assert engine.started == ["of done", "b", "a", "of a"]
    assert sorted(progress.done) == ["a", "of a", "of done"]
    assert sorted(progress.failed) == ["b", "of b", "of none"]
    assert progress.failed["of b"].reason == "the training that it tests failed (b)"
    assert progress.failed["of b"].transient, "it is tried again when its training is"


def test_a_test_is_stale_once_its_training_was_run_again(store: Store) -> None:
    trained = record([], "a", 1, 0.5)
    trained.write(store.folder("a"))
    of = {"run": "a", "config_hash": "a", "data": {}, "finished": trained.finished}
    replace(record([], "of a", 1, 0.5), trained=of).write(store.folder("of a"))
    assert store.status("of a").state is State.done
    replace(trained, finished="2026-01-02T00:00:00+00:00").write(store.folder("a"))
    assert store.status("of a").stale == ("its training (a)",)
    assert store.status("of a").state is State.pending
    assert not is_done(store.folder("of a"), fresh=True)
    assert Store(store.outputs, accept_stale=True).status("of a").state is State.done


def test_a_cell_that_another_process_runs_is_waited_for_and_taken_over_if_that_dies(store: Store) -> None:
    held = lease.acquire(store.folder("a"))
    assert held is not None
    engine = Recorded({"a": 1})
    began = time.monotonic()

    def give_back(progress: schedule.Progress) -> None:
        if progress.elsewhere and time.monotonic() - began > 1:
            lease.release(store.folder("a"), held)

    progress = schedule.run([job(store, "a")], engine, store, give_back)
    assert engine.started == ["a"], "it was started only when nobody ran it any more"
    assert time.monotonic() - began > 1
    assert list(progress.failed) == ["a"]


def test_an_interrupt_stops_the_engine(store: Store) -> None:
    engine = Recorded({})

    def interrupt(progress: schedule.Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        schedule.run([job(store, "a"), job(store, "b")], engine, store, interrupt)
    assert engine.stopped


def run(engine: LocalEngine, jobs: list[Job]) -> None:
    for each in jobs:
        assert engine.start(each)
    ended: dict[str, int] = {}
    while len(ended) < len(jobs):
        ended |= engine.ended()
        time.sleep(0.01)


def test_workers_share_the_cores(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    engine = LocalEngine(LocalEngineConfig(workers=2))
    assert (LocalEngine(LocalEngineConfig()).workers, engine.workers) == (4, 2)
    run(engine, [job(store, "a", TELL)])
    assert told(store, "a")["OMP_NUM_THREADS"] == "4"


def test_each_job_sees_its_own_gpus(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5,7")
    engine = LocalEngine(LocalEngineConfig())
    assert engine.workers == 3
    run(engine, [job(store, "a", TELL, devices=2), job(store, "b", TELL)])
    assert told(store, "a")["CUDA_VISIBLE_DEVICES"] == "3,5"
    assert told(store, "b")["CUDA_VISIBLE_DEVICES"] == "7"


def test_a_job_that_asks_for_more_than_there_is_takes_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    engine = LocalEngine(LocalEngineConfig())
    sleeping = job(store, "a", "import time; time.sleep(30)")
    assert engine.start(sleeping)
    assert not engine.start(job(store, "b", devices=2)), "one of the two is taken"
    engine.stop()
    assert engine.start(job(store, "b", devices=5))
    engine.stop()


def test_more_workers_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(ConfigError, match=r"engine\.workers=2 is more than the GPUs here"):
        LocalEngine(LocalEngineConfig(workers=2))


@pytest.mark.parametrize(
    ("value", "expected"), [("", []), ("-1", []), ("0", ["0"]), ("GPU-a, GPU-b", ["GPU-a", "GPU-b"])]
)
def test_gpus_that_the_environment_leaves(monkeypatch: pytest.MonkeyPatch, value: str, expected: list[str]) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert visible_gpus() == expected
