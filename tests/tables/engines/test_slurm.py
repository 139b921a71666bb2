"""The slurm engine with submitit's local executor, and against commands that stand for Slurm's."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from omegaconf import open_dict

from retable.errors import ConfigError
from retable.run.build import build
from retable.run.command_line import compose
from retable.tables import lease, runner, schedule, store
from retable.tables.engines import Engine, Job
from retable.tables.engines.slurm import SlurmEngine
from retable.tables.store import State, Store

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

ROOT = Path(__file__).parents[3]
MakeJob = Callable[..., Job]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retable.tables.engines.slurm._LOOK_SECONDS", 0.1)


def dummy_job(outputs: Path, key: str, seconds: float = 0.05, fails: bool = False, devices: int = 1) -> Job:
    """A cell that runs tests/tables/dummy.py."""
    folder = Store(outputs).folder(key)
    words = (f"hydra.run.dir={folder}", "seed=1", f"model.lasa={'bad' if fails else 'good'}")
    environment = (f"PYTHONPATH={ROOT}", f"DUMMY_SECONDS={seconds}", "DUMMY_FAILS=bad")
    command = ("env", *environment, sys.executable, str(ROOT / "tests/tables/dummy.py"), *words)
    return Job(key, folder, command, devices)


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def works(job: Job) -> bool:
    """Whether the command of a job has begun."""
    return any("working" in line for line in store.tail(job.folder / store.LOG, 5))


def collect(engine: Engine, count: int) -> dict[str, int]:
    codes: dict[str, int] = {}

    def enough() -> bool:
        codes.update(engine.ended())
        return len(codes) >= count

    wait_until(enough)
    return codes


def slurm(**keys: Any) -> SlurmEngine:
    config = compose("reproduce", ["engine=slurm"]).engine
    with open_dict(config.extra):
        config.merge_with({"poll_seconds": 0.1, **keys})
    engine = build(config)
    assert isinstance(engine, SlurmEngine)
    return engine


@pytest.fixture
def local() -> Iterator[Callable[..., SlurmEngine]]:
    """Makes engines with submitit's local executor; stops them in the end."""
    with contextlib.ExitStack() as stack:

        def make(**keys: Any) -> SlurmEngine:
            engine = slurm(cluster="local", gpus=False, **keys)
            stack.callback(engine.stop)
            return engine

        yield make


def test_cells_end_as_they_do_everywhere(local: Callable[..., SlurmEngine], tmp_path: Path) -> None:
    jobs = [
        dummy_job(tmp_path, "good"),
        dummy_job(tmp_path, "bad", fails=True),
        dummy_job(tmp_path, "long", seconds=60),
    ]
    progress = schedule.run(jobs, local(timeout_minutes=2 / 60), Store(tmp_path))
    assert progress.done == ["good"]
    assert progress.failed["bad"].reason == "a data error (exit code 3)"
    assert progress.failed["bad"].lines[-1] == "this is why"
    assert progress.failed["long"].reason == "time-out after 2 s"
    assert not list(tmp_path.rglob(lease.LEASE))


def test_stop_interrupts_the_commands(local: Callable[..., SlurmEngine], tmp_path: Path) -> None:
    engine = local(workers=1)
    job = dummy_job(tmp_path, "a", seconds=60)
    assert engine.start(job)
    assert not engine.start(dummy_job(tmp_path, "b")), "one worker is one job in the queue"
    wait_until(lambda: works(job))
    engine.stop()
    assert Store(tmp_path).status("a").state is State.pending
    assert "KeyboardInterrupt" in store.tail(job.folder / store.LOG, 1)
    assert not (job.folder / lease.LEASE).exists()
    assert engine.ended() == {}


def test_a_killed_runner_is_a_failed_cell_and_its_command_is_ended(
    local: Callable[..., SlurmEngine], tmp_path: Path
) -> None:
    engine, job = local(), dummy_job(tmp_path, "a", seconds=60)
    engine.start(job)
    wait_until(lambda: works(job))
    held = lease.read(job.folder)
    assert held is not None
    os.kill(held.pid, signal.SIGKILL)
    assert collect(engine, 1) == {"a": runner.FAILED}
    failure = store.read_failure(job.folder)
    assert failure is not None
    assert failure.transient
    assert "was ended" in failure.reason
    wait_until(lambda: not lease._is_alive(held.child, held.child_started))


def test_a_cell_that_was_submitted_twice_runs_once(local: Callable[..., SlurmEngine], tmp_path: Path) -> None:
    # as after the death of a first orchestrator, whose jobs go on
    job = dummy_job(tmp_path, "a", seconds=1)
    engines = [local(), local()]
    for engine in engines:
        assert engine.start(job)
    codes = [collect(engine, 1)["a"] for engine in engines]
    assert set(codes) <= {runner.DONE, runner.BUSY}
    wait_until(lambda: Store(tmp_path).status("a").state is State.done)
    assert (job.folder / store.LOG).read_text().count("working") == 1
    assert not (job.folder / "ran_again").exists()


FAKE = """#!/bin/sh
echo "$(basename $0) $*" >> {folder}/calls
[ -e {folder}/$(basename $0).error ] && cat {folder}/$(basename $0).error >&2 && exit 1
cat {folder}/$(basename $0).answer
"""


class FakeSlurm:
    """Commands that note how they are called and print what they are told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in ("sbatch", "srun", "squeue", "scancel"):
            (folder / name).write_text(FAKE.format(folder=folder))
            (folder / name).chmod(0o755)
            self.answer(name, "")
        self.answer("sbatch", "Submitted batch job 7")

    def answer(self, command: str, text: str) -> None:
        (self.folder / f"{command}.answer").write_text(text)

    def fail(self, command: str, text: str | None) -> None:
        path = self.folder / f"{command}.error"
        path.unlink(missing_ok=True) if text is None else path.write_text(text)

    def calls(self, command: str) -> list[str]:
        return [line for line in (self.folder / "calls").read_text().splitlines() if line.startswith(command)]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    found = FakeSlurm(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(found.folder), prepend=os.pathsep)
    return found


def test_what_sbatch_is_asked_for(fake: FakeSlurm, tmp_path: Path) -> None:
    engine = slurm(
        partition="gpu", cpus_per_device=4, memory_gb_per_device=1.5, timeout_minutes=30.5,
        extra={"qos": "high", "exclusive": True, "no-requeue": None, "mem": 0},
    )  # fmt: skip
    assert engine.start(dummy_job(tmp_path, "c0ffee", devices=2))
    script = (Store(tmp_path).folder("c0ffee") / ".submitit" / "7_submission.sh").read_text()
    asked = {line.removeprefix("#SBATCH --") for line in script.splitlines() if line.startswith("#SBATCH")}
    assert asked >= {
        "partition=gpu", "gpus-per-node=2", "cpus-per-task=8", "mem=0", "time=34", "nodes=1", "qos=high", "exclusive",
        "job-name=retable-c0ffee", "signal=B:TERM@60",
    }  # fmt: skip
    assert not {word.split("=")[0] for word in asked} & {"no-requeue", "account", "wckey"}
    assert f"\nexec {sys.executable} " in script, "the batch job's process is to be the runner, which takes the signals"


def test_no_time_limit_of_ours_leaves_it_to_slurm(fake: FakeSlurm, tmp_path: Path) -> None:
    slurm(gpus=False).start(dummy_job(tmp_path, "a"))
    script = (Store(tmp_path).folder("a") / ".submitit" / "7_submission.sh").read_text()
    assert "--time" not in script
    assert "gpus" not in script
    assert "--no-requeue" in script


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ("7|NODE_FAIL\n6|RUNNING\n", "job 7 was ended (node fail)"),
        ("7|PREEMPTED\n", "job 7 was ended (preempted)"),
        ("", "job 7 was ended (no longer known to slurm)"),
    ],
)
def test_a_job_that_slurm_ends_is_a_failed_cell(fake: FakeSlurm, tmp_path: Path, states: str, reason: str) -> None:
    engine = slurm()
    job = dummy_job(tmp_path, "a")
    engine.start(job)
    (job.folder / ".submitit" / "7_0_log.out").write_text("slurmstepd: error: *** DUE TO NODE FAILURE ***\n")
    fake.answer("squeue", states)
    assert collect(engine, 1) == {"a": runner.FAILED}
    status = Store(tmp_path).status("a")
    assert status.failure is not None
    assert status.failure.reason == reason
    assert status.failure.transient
    assert status.failure.lines == ("slurmstepd: error: *** DUE TO NODE FAILURE ***",)
    assert len(fake.calls("squeue")) == 2, "once may be a file system that lags behind"


def test_a_cell_whose_node_was_lost_is_not_started_again_and_again(fake: FakeSlurm, tmp_path: Path) -> None:
    job = dummy_job(tmp_path, "a")
    lease.acquire(job.folder)
    path = job.folder / lease.LEASE
    path.write_text(path.read_text().replace('"host": "', '"host": "other-'))  # its heartbeat is still warm
    fake.answer("squeue", "7|NODE_FAIL\n")
    engine = slurm()
    engine.start(job)
    assert collect(engine, 1) == {"a": runner.FAILED}
    assert Store(tmp_path).status("a").state is State.running
    os.utime(path, (0, 0))
    assert Store(tmp_path).status("a").state is State.failed


def test_a_job_goes_on_while_slurm_has_it_or_does_not_answer(fake: FakeSlurm, tmp_path: Path) -> None:
    engine = slurm()
    engine.start(dummy_job(tmp_path, "a"))

    def asked_three_times() -> bool:
        assert engine.ended() == {}
        return len(fake.calls("squeue")) >= 3

    fake.answer("squeue", "7|COMPLETING\n6|FAILED\n")
    wait_until(asked_three_times)
    (fake.folder / "calls").write_text("")
    fake.fail("squeue", "slurm_load_jobs error: Unable to contact slurm controller")
    wait_until(asked_three_times)


def test_slurm_is_asked_sparingly(fake: FakeSlurm, tmp_path: Path) -> None:
    fake.answer("squeue", "7|RUNNING\n")
    engine = slurm(poll_seconds=30)
    engine.start(dummy_job(tmp_path, "a"))
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        assert engine.ended() == {}
        time.sleep(0.05)
    assert len(fake.calls("squeue")) == 1


def test_what_slurm_refuses(fake: FakeSlurm, tmp_path: Path) -> None:
    engine = slurm(poll_seconds=0)
    assert engine.start(dummy_job(tmp_path, "a"))
    fake.fail("sbatch", "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy\n")
    assert not engine.start(dummy_job(tmp_path, "b")), "a limit on jobs: it may go when another has ended"
    with pytest.raises(ConfigError, match=r"Slurm refuses the job: Batch job submission failed: Job violates"):
        slurm().start(dummy_job(tmp_path, "c"))
    fake.fail("sbatch", None)
    assert engine.start(dummy_job(tmp_path, "b"))


def test_stop_takes_jobs_from_the_queue_and_asks_the_runners(fake: FakeSlurm, tmp_path: Path) -> None:
    engine = slurm()
    engine.start(dummy_job(tmp_path, "a"))
    fake.answer("sbatch", "Submitted batch job 8")
    engine.start(dummy_job(tmp_path, "b"))
    fake.answer("squeue", "7|CANCELLED\n8|COMPLETED\n")
    engine.stop()
    assert fake.calls("scancel") == ["scancel --state=PENDING 7 8", "scancel --batch --signal=TERM 7 8"]
    assert not list(tmp_path.rglob(store.FAILED))
    assert engine.ended() == {}


def test_mistakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="there is no sbatch here"):
        slurm()
    with pytest.raises(ConfigError, match=r"engine\.workers=0: must be 1 or more"):
        slurm(workers=0)
    with pytest.raises(ConfigError, match=r"engine\.gpus: .* engine\.gpus=false"):
        slurm(cluster="local")
    with pytest.raises(ConfigError, match=r"engine\.cluster: 'k8s' is not one of"):
        compose("reproduce", ["engine=slurm", "engine.cluster=k8s"])
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(ConfigError, match=r"pip install retable\[slurm\]"):
        slurm()
