"""Cells as processes of this machine: one for each GPU, or a few on the cores."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys

from retable.errors import ConfigError
from retable.tables import runner
from retable.tables.engines import Job, end_orphan
from retable.tables.schema import LocalEngineConfig

_CPU_WORKERS = 4


class LocalEngine:
    """Runs jobs in processes of this machine.

    A job takes as many slots as it asks for devices, at most all of them. With GPUs a slot is a GPU, which its job
    alone sees; otherwise it is an equal share of the cores (two thread pools on one core slow each other down).

    Raises:
        ConfigError: There are fewer GPUs than workers.
    """

    def __init__(self, config: LocalEngineConfig) -> None:
        self._config = config
        self._gpus = visible_gpus()
        self.workers, self._threads = share(config.workers, len(self._gpus))
        self._free = list(range(self.workers))
        self._running: dict[str, tuple[subprocess.Popen[bytes], Job, list[int]]] = {}

    def start(self, job: Job) -> bool:
        """Starts a job; False if there are not enough free slots."""
        wanted = min(job.devices, self.workers)
        if len(self._free) < wanted:
            return False
        slots, self._free = self._free[:wanted], self._free[wanted:]
        words = runner.words(job.folder, job.command, self._config.timeout_minutes, self._config.expiry_seconds)
        process = subprocess.Popen(
            [sys.executable, "-m", runner.__name__, "--parent", str(os.getpid()), *words],
            env=self._environment(slots),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal reaches us, and we tell the jobs
        )
        self._running[job.key] = (process, job, slots)
        return True

    def ended(self) -> dict[str, int]:
        """Keys of the jobs that have ended since the last call, with exit codes."""
        codes = {key: process.poll() for key, (process, _, _) in self._running.items()}
        ended = {key: code for key, code in codes.items() if code is not None}
        for key, code in ended.items():
            _, job, slots = self._running.pop(key)
            self._free = sorted(self._free + slots)
            if code < 0:
                end_orphan(job)
        return ended

    def stop(self) -> None:
        """Asks all jobs to stop and waits for them."""
        for process, _, _ in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process, _, _ in self._running.values():
            process.wait()
        self._running = {}
        self._free = list(range(self.workers))

    def _environment(self, slots: list[int]) -> dict[str, str]:
        if self._gpus:
            return {**os.environ, "CUDA_VISIBLE_DEVICES": ",".join(self._gpus[slot] for slot in slots)}
        return {"OMP_NUM_THREADS": str(self._threads), **os.environ}


def share(workers: int | None, gpus: int) -> tuple[int, int]:
    """Shares this machine out: the number of workers, by default one a GPU or a core, and the cores that each has.

    Raises:
        ConfigError: There are fewer GPUs than workers.
    """
    if gpus and workers is not None and workers > gpus:
        raise ConfigError(f"engine.workers={workers} is more than the GPUs here ({gpus})")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = workers or gpus or min(cores, _CPU_WORKERS)
    return workers, max(1, cores // workers)


def visible_gpus() -> list[str]:
    """Names of the GPUs that CUDA_VISIBLE_DEVICES leaves, or of all; asked of the driver, as torch takes seconds."""
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1")]
    if shutil.which("nvidia-smi") is None:
        return []
    listing = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)
    return [str(index) for index, line in enumerate(listing.stdout.splitlines()) if line.startswith("GPU ")]
