"""Cells as processes of this machine: one for each GPU, or a few on the cores."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass

from retable.errors import ConfigError
from retable.tables.engines import Job
from retable.tables.engines.cleanup import end_orphan

_CPU_WORKERS = 4


@dataclass
class _Running:
    process: subprocess.Popen[bytes]
    job: Job
    slots: list[int]


class LocalEngine:
    """Runs jobs in processes of this machine.

    A job takes as many slots as it asks for devices, at most all of them. With GPUs a slot is a GPU, which its job
    alone sees; otherwise it is an equal share of the cores (two thread pools on one core slow each other down).

    Args:
        workers: Number of slots; None is the number of GPUs, without any that of the cores, at most 4.
        timeout_minutes: Time after which a job is ended and counts as failed; None is never.
        expiry_seconds: See `retable.tables.lease`.

    Raises:
        ConfigError: There are fewer GPUs than workers.
    """

    def __init__(self, workers: int | None, timeout_minutes: float | None, expiry_seconds: float) -> None:
        gpus = visible_gpus()
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if workers is not None and workers < 1:
            raise ConfigError(f"engine.workers must be at least 1, not {workers}")
        if gpus and workers is not None and workers > len(gpus):
            raise ConfigError(f"engine.workers={workers} is more than the GPUs here ({len(gpus)})")
        self.workers = workers or len(gpus) or min(cores, _CPU_WORKERS)
        self._gpus = gpus
        self._threads = max(1, cores // self.workers)
        self._free = list(range(self.workers))
        self._running: dict[str, _Running] = {}
        self._timeout, self._expiry = timeout_minutes, expiry_seconds

    def start(self, job: Job) -> bool:
        """Starts a job; False if there are not enough free slots."""
        wanted = min(job.devices, self.workers)
        if len(self._free) < wanted:
            return False
        slots, self._free = self._free[:wanted], self._free[wanted:]
        command = [sys.executable, "-m", "retable.tables.runner", "--folder", str(job.folder)]
        command += ["--expiry", str(self._expiry), "--parent", str(os.getpid())]
        if self._timeout is not None:
            command += ["--timeout", str(60 * self._timeout)]
        # of its own session: Ctrl-C in the terminal reaches us, and we tell the jobs
        process = subprocess.Popen(
            [*command, "--", *job.command],
            env=self._environment(job, slots),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._running[job.key] = _Running(process, job, slots)
        return True

    def ended(self) -> dict[str, int]:
        """Keys of the jobs that have ended since the last call, with exit codes."""
        codes = {key: running.process.poll() for key, running in self._running.items()}
        ended = {key: code for key, code in codes.items() if code is not None}
        for key, code in ended.items():
            running = self._running.pop(key)
            self._free = sorted(self._free + running.slots)
            if code < 0:
                end_orphan(running.job)
        return ended

    def stop(self) -> None:
        """Asks all jobs to stop and waits for them."""
        for running in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                running.process.send_signal(signal.SIGTERM)
        for running in self._running.values():
            running.process.wait()
        self._running = {}
        self._free = list(range(self.workers))

    def _environment(self, job: Job, slots: list[int]) -> dict[str, str]:
        environment = {**os.environ, **job.environment}
        if self._gpus:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(self._gpus[slot] for slot in slots)
        else:
            environment.setdefault("OMP_NUM_THREADS", str(self._threads))
        return environment


def visible_gpus() -> list[str]:
    """Names of the GPUs that CUDA_VISIBLE_DEVICES leaves, or of all; asked of the driver, as torch takes seconds."""
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1")]
    if shutil.which("nvidia-smi") is None:
        return []
    listing = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)
    return [str(index) for index, line in enumerate(listing.stdout.splitlines()) if line.startswith("GPU ")]
