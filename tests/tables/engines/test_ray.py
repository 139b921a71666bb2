"""The ray engine on a real cluster of this machine."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.tables.engines.test_slurm import collect, dummy_job, wait_until, works

from retable.errors import ConfigError
from retable.run.build import build
from retable.run.command_line import compose
from retable.tables import lease, runner, schedule, store
from retable.tables.engines import Job
from retable.tables.engines.ray import RayEngine, run_cell
from retable.tables.store import State, Store

ROOT = Path(__file__).parents[3]
pytestmark = [
    # of Ray's own sockets and processes, when it leaves a cluster
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def engine(**keys: Any) -> RayEngine:
    config = compose("reproduce", ["engine=ray"]).engine
    config.merge_with({"cpus_per_device": 1, **keys})
    made = build(config)
    assert isinstance(made, RayEngine)
    return made


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def family(job: Job) -> dict[str, int]:
    """Process ids between a cell's command and its Ray worker."""
    wait_until(lambda: works(job), 120)
    held = lease.read(job.folder)
    assert held is not None
    guard = psutil.Process(held.pid).ppid()
    return {"command": held.child, "runner": held.pid, "guard": guard, "worker": psutil.Process(guard).ppid()}


def test_a_life_of_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # one test, as a cluster takes five to twenty seconds to start
    pytest.importorskip("ray", reason="Ray is an extra: pip install retable[ray]")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")  # Ray gives out what it is told; nobody uses them here
    handler = signal.getsignal(signal.SIGTERM)
    ray = engine()
    assert ray.workers == 2
    try:
        cells_end_as_they_do_everywhere(ray, tmp_path)
        a_killed_worker_is_a_failed_cell_and_its_command_is_ended(ray, tmp_path)
        nothing_is_left_when_a_driver_dies(tmp_path)
        job = dummy_job(tmp_path, "stopped", seconds=60)
        ray.start(job)
        pids = family(job)
    finally:
        ray.stop()
    assert not alive(pids["command"])
    assert Store(tmp_path).status("stopped").state is State.pending
    assert "KeyboardInterrupt" in store.tail(job.folder / store.LOG, 1)
    assert not list(tmp_path.rglob(lease.LEASE))
    assert signal.getsignal(signal.SIGTERM) is handler, "Ray's would end the cluster before the cells"


def cells_end_as_they_do_everywhere(ray: RayEngine, outputs: Path) -> None:
    shown = Job("shown", outputs / "cells" / "shown", ("sh", "-c", "echo GPUs,$CUDA_VISIBLE_DEVICES"), devices=9)
    try:
        assert ray.start(dummy_job(outputs, "good"))
    except ConfigError as error:
        if "timed out during startup" not in str(error):
            raise
        pytest.skip(f"this machine is busy, and Ray gives itself 30 s: {error}")
    assert ray.start(dummy_job(outputs, "bad", fails=True))
    assert not ray.start(shown), "there are two GPUs"
    assert collect(ray, 2) == {"good": runner.DONE, "bad": runner.FAILED}
    assert ray.start(shown)
    assert not ray.start(dummy_job(outputs, "more")), "it has both"
    collect(ray, 1)
    assert set(store.tail(shown.folder / store.LOG, 1)[0].split(",")) == {"GPUs", "3", "5"}


def a_killed_worker_is_a_failed_cell_and_its_command_is_ended(ray: RayEngine, outputs: Path) -> None:
    job = dummy_job(outputs, "killed", seconds=60)
    assert ray.start(job)
    pids = family(job)
    os.kill(pids["worker"], signal.SIGKILL)
    assert collect(ray, 1) == {"killed": runner.FAILED}
    wait_until(lambda: not alive(pids["command"]))
    failure = store.read_failure(job.folder)
    assert failure is not None
    assert failure.transient
    assert failure.reason.startswith("its Ray worker ended: ")


def nothing_is_left_when_a_driver_dies(outputs: Path) -> None:
    import ray

    script = "import sys; from tests.tables.engines.test_ray import drive; drive(*sys.argv[1:])"
    driver = subprocess.Popen(
        [sys.executable, "-c", script, str(outputs), ray.get_runtime_context().gcs_address],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    pids = family(dummy_job(outputs, "left"))
    driver.kill()
    driver.wait()
    wait_until(lambda: not any(alive(pid) for pid in pids.values()))
    wait_until(lambda: Store(outputs).status("left").state is State.pending)


def drive(outputs: str, address: str) -> None:
    jobs = [dummy_job(Path(outputs), "left", seconds=60)]
    schedule.run(jobs, engine(address=address), Store(Path(outputs)))


@pytest.mark.parametrize("victim", ["guard", "runner"])
def test_a_killed_process_is_a_failed_cell_and_its_command_is_ended(tmp_path: Path, victim: str) -> None:
    job = dummy_job(tmp_path, "a", seconds=60)
    with ThreadPoolExecutor() as pool:
        code = pool.submit(run_cell, job, True, None, 60.0)
        pids = family(job)
        os.kill(pids[victim], signal.SIGKILL)
        assert code.result(60) == runner.FAILED
    wait_until(lambda: not alive(pids["command"]))
    failure = store.read_failure(job.folder)
    assert failure is not None
    assert failure.transient
    assert failure.reason == "its runner was killed by SIGKILL"


def test_a_time_out(tmp_path: Path) -> None:
    job = dummy_job(tmp_path, "a", seconds=60)
    assert run_cell(job, True, 0.5 / 60, 60.0) == runner.FAILED
    failure = store.read_failure(job.folder)
    assert failure is not None
    assert failure.reason == "time-out after 0 s"


def test_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install retable\[ray\]"):
        engine()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with pytest.raises(ConfigError, match=r"engine\.workers=3 is more than the GPUs here \(2\)"):
        engine(workers=3)
    assert engine(workers=3, gpus=False).workers == 3
    with pytest.raises(ConfigError, match=r"engine\.cpus_per_device=0: must be 1 or more"):
        engine(cpus_per_device=0)
    with pytest.raises(ConfigError, match=r"engine\.address: auto or host:port"):
        engine(address="nonsense")
    with pytest.raises(ConfigError, match=r"engine\.address: no Ray cluster answers at 127\.0\.0\.1:9"):
        engine(address="127.0.0.1:9")
