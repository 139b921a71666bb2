"""Cells as tasks of a Ray cluster.

A Ray worker belongs to its driver and is killed with it, without a chance to end what it has started. So the task does
not run the cell's runner itself: between them stands a guard, this module as a program, which ends the runner in peace
when the worker is gone; and if Ray kills the guard, the runner misses its parent.

    Ray worker (run_cell) - guard (main) - retable.tables.runner - the command
"""

import contextlib
import importlib.util
import os
import select
import signal
import socket
import subprocess
import sys
from typing import Any

from retable.errors import ConfigError
from retable.tables import runner
from retable.tables.engines import Job, note_failure
from retable.tables.engines.local import share, visible_gpus
from retable.tables.schema import RayEngineConfig

_STOP_SECONDS = 40.0  # the runner gives its command 30
_STORE_BYTES = 100 * 2**20  # of shared memory, near Ray's least: only exit codes pass through it


class RayEngine:
    """Runs each job as a Ray task, which takes a GPU for each of its devices, or cores where there are no GPUs.

    Raises:
        ConfigError: Ray or the cluster is not there, or there are fewer GPUs than workers.
    """

    def __init__(self, config: RayEngineConfig) -> None:
        if importlib.util.find_spec("ray") is None:
            raise ConfigError("engine=ray needs Ray: pip install retable[ray]")
        self._config = config
        self._tasks: dict[str, tuple[Job, Any]] = {}
        self._connected = False
        if config.address is None:
            self._gpus = len(visible_gpus()) if config.gpus else 0
            self.workers, cores = share(config.workers, self._gpus)
            self._cores = config.cpus_per_device or cores
            self._most = self.workers
        else:
            _check_address(config.address)
            nodes = self._connect()
            self._cores = config.cpus_per_device or 1
            per_node = [int(node.get("GPU", 0)) for node in nodes] if config.gpus else []
            self._gpus = sum(per_node)
            if not self._gpus:
                per_node = [int(node.get("CPU", 0)) // self._cores for node in nodes]
            self.workers = config.workers or max(1, sum(per_node))
            self._most = max([1, *per_node])

    def start(self, job: Job) -> bool:
        """Starts a job; False if too many devices are in use."""
        import ray

        wanted = self._devices(job)
        if sum(self._devices(other) for other, _ in self._tasks.values()) + wanted > self.workers:
            return False
        if not self._connected:
            self._connect()
        task = ray.remote(run_cell).options(
            name=job.key,
            num_cpus=self._cores * wanted,
            num_gpus=wanted if self._gpus else 0,
            max_retries=0,  # whether a cell runs again is decided by what it has left on the disk
        )
        times = self._config.timeout_minutes, self._config.expiry_seconds
        self._tasks[job.key] = (job, task.remote(job, bool(self._gpus), *times))
        return True

    def ended(self) -> dict[str, int]:
        """Keys of the jobs that have ended since the last call, with exit codes."""
        if not self._tasks:
            return {}
        import ray

        tasks = [task for _, task in self._tasks.values()]
        ready, _ = ray.wait(tasks, num_returns=len(tasks), timeout=0)
        codes = {}
        for key, (job, task) in list(self._tasks.items()):
            if task in ready:
                del self._tasks[key]
                codes[key] = _outcome(job, task)
        return codes

    def stop(self) -> None:
        """Asks all jobs to stop, waits until they have, and leaves the cluster, which ends if it is our own."""
        if not self._connected:
            return
        import ray

        tasks, self._tasks = [task for _, task in self._tasks.values()], {}
        for task in tasks:
            ray.cancel(task)
        if tasks:
            ray.wait(tasks, num_returns=len(tasks), timeout=_STOP_SECONDS)
        ray.shutdown()
        self._connected = False

    def _devices(self, job: Job) -> int:
        return min(job.devices, self.workers, self._most)

    def _connect(self) -> list[dict[str, float]]:
        """Connects to the cluster, or starts one; returns what each node has."""
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        import ray

        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            if self._config.address is not None:
                ray.init(self._config.address, log_to_driver=False, logging_level="error")
            else:
                ray.init(
                    "local",  # None would take the cluster that RAY_ADDRESS names
                    num_cpus=self.workers * self._cores,
                    num_gpus=self._gpus,
                    object_store_memory=_STORE_BYTES,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level="error",
                )
        except Exception as error:  # Ray has no class for it
            ray.shutdown()
            problem = str(error).partition("\n")[0] or type(error).__name__
            raise ConfigError(f"engine=ray: Ray has not come up: {problem}") from error
        finally:
            # Ray's own handler kills the cluster at once; ours stops the jobs before
            for number, handler in before.items():
                with contextlib.suppress(ValueError):  # not the main thread: nothing was changed
                    signal.signal(number, handler)
        self._connected = True
        return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _check_address(address: str) -> None:
    """Refuses an address at which nobody listens: Ray would try for minutes."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except ValueError:
        raise ConfigError(f"engine.address: auto or host:port is needed, not {address}") from None
    except OSError as error:
        raise ConfigError(f"engine.address: no Ray cluster answers at {address} ({error.strerror or error})") from error


def run_cell(job: Job, sees_gpus: bool, timeout_minutes: float | None, expiry: float) -> int:
    """Runs a cell inside a Ray worker; returns the exit code of its runner."""
    guard = subprocess.Popen(
        [sys.executable, "-m", __name__, *runner.words(job.folder, job.command, timeout_minutes, expiry)],
        env=None if sees_gpus else {**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the driver's terminal is for the driver
    )
    assert guard.stdin is not None
    while guard.poll() is None:
        try:
            guard.wait(0.2)
        except subprocess.TimeoutExpired:
            pass
        except KeyboardInterrupt:  # ray.cancel
            guard.stdin.close()
    if guard.returncode < 0:
        note_failure(job, f"its runner was killed by {signal.Signals(-guard.returncode).name}")
        return runner.FAILED
    return guard.returncode


def main() -> int:
    """Runs `retable.tables.runner` with the words of the command line until it ends or standard input does."""
    # Ray blocks it in all that it starts; the runner stops its command with it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    words = [sys.executable, "-m", runner.__name__, "--parent", str(os.getpid()), *sys.argv[1:]]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None:
        if select.select([sys.stdin], [], [], 0.2)[0]:
            process.terminate()
            process.wait()
    if process.returncode < 0:
        os.kill(os.getpid(), -process.returncode)
    return process.returncode


def _outcome(job: Job, task: Any) -> int:
    """Exit code of the runner of a task that is over."""
    import ray

    try:
        code: int = ray.get(task)
        return code
    except ray.exceptions.TaskCancelledError:
        return runner.STOPPED
    except ray.exceptions.RayError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        note_failure(job, f"its Ray worker ended: {lines[0] if lines else type(error).__name__}")
        return runner.FAILED


if __name__ == "__main__":
    sys.exit(main())
