"""Cells as jobs of a Slurm cluster, through submitit.

A cell is one batch job whose process is the cell's runner, so that the lease, the time-out and ``failed.json`` are as
everywhere. Jobs outlive whoever has submitted them. The node must see the same files and the same Python.
"""

import contextlib
import io
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from retable.errors import ConfigError, StorageError
from retable.tables import runner
from retable.tables.engines import Job, end_orphan, note_failure
from retable.tables.schema import Cluster, SlurmEngineConfig

if TYPE_CHECKING:
    import submitit

_LOOK_SECONDS = 1.0
_STOP_SECONDS = 40.0  # the runner gives its command 30
_MARGIN_MINUTES = 3  # the runner's own time-out comes first: it says in failed.json what happened
_WARNING_SECONDS = 60  # from Slurm's SIGTERM to the end of its time limit
_GONE = "no longer known to Slurm"
_OVER = {
    *("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "DEADLINE", "OUT_OF_MEMORY", "NODE_FAIL", "PREEMPTED"),
    *("BOOT_FAIL", "LAUNCH_FAILED", "RECONFIG_FAIL", "REVOKED", _GONE),
}


class SlurmEngine:
    """Runs each job as a Slurm job on one node.

    Raises:
        ConfigError: submitit or Slurm is not there, or GPUs are asked of what hands out none.
    """

    def __init__(self, config: SlurmEngineConfig) -> None:
        try:
            import submitit
        except ImportError as error:
            raise ConfigError("engine=slurm needs submitit: pip install retable[slurm]") from error
        if config.cluster is Cluster.local and config.gpus:
            raise ConfigError("engine.gpus: engine.cluster=local hands out none: engine.gpus=false, or engine=local")
        self.workers = config.workers
        self._config = config
        self._cluster = _Local(config) if config.cluster is Cluster.local else _Slurm(config)
        self._jobs: dict[str, tuple[Job, submitit.Job[int]]] = {}
        self._looked = self._refused = -math.inf

    def start(self, job: Job) -> bool:
        """Submits a job; False if there are enough in the queue, or if Slurm takes no more of them for now.

        Raises:
            ConfigError: Slurm refuses the job, and none is there whose end could change that.
        """
        if len(self._jobs) >= self.workers or time.monotonic() - self._refused < self._config.poll_seconds:
            return False
        executor = self._cluster.executor(job)
        try:
            with contextlib.redirect_stderr(io.StringIO()):  # submitit prints what it also raises
                remote = executor.submit(run_cell, job, self._config)
        except (RuntimeError, OSError) as error:  # both of submitit's own are RuntimeErrors
            if not self._jobs:
                lines = [line.removeprefix("sbatch: ").removeprefix("error: ") for line in str(error).splitlines()]
                raise ConfigError(f"Slurm refuses the job: {'; '.join(lines)}") from error
            self._refused = time.monotonic()  # a limit on jobs, or a controller that is away
            return False
        self._jobs[job.key] = (job, remote)
        return True

    def ended(self) -> dict[str, int]:
        """Keys of the jobs that have ended since the last call, with exit codes."""
        if not self._jobs or time.monotonic() - self._looked < _LOOK_SECONDS:
            return {}
        self._looked = time.monotonic()
        over = self._cluster.over([remote for _, remote in self._jobs.values()])
        codes = {}
        for key, (job, remote) in list(self._jobs.items()):
            if remote.job_id in over:
                del self._jobs[key]
                codes[key] = _outcome(job, remote, over[remote.job_id])
        return codes

    def stop(self) -> None:
        """Asks all jobs to stop, waits until they have, and cancels those that have not after some time."""
        jobs, self._jobs = list(self._jobs.values()), {}
        if not jobs:
            return
        self._cluster.interrupt([remote for _, remote in jobs])
        left = [remote for _, remote in jobs]
        deadline = time.monotonic() + _STOP_SECONDS
        while left and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
            left = self._cluster.alive(left)
        if left:
            self._cluster.cancel(left)
        for job, _ in jobs:
            end_orphan(job)


def run_cell(job: Job, config: SlurmEngineConfig) -> int:
    """Runs a cell inside its Slurm job; returns what `retable.tables.runner.run` does."""
    import submitit

    # Slurm is told to send SIGTERM, which the runner understands; at submitit's own signal its handler would requeue
    # the job or throw an error into the runner.
    signal.signal(getattr(signal, f"SIG{submitit.JobEnvironment.USR_SIG}"), signal.SIG_IGN)
    # Lightning would take itself for one of srun's tasks; it documents this name as the way to say that it is none.
    os.environ["SLURM_JOB_NAME"] = "interactive"
    if config.cpus_per_device is not None:
        os.environ.setdefault("OMP_NUM_THREADS", str(config.cpus_per_device))
    timeout = None if config.timeout_minutes is None else 60 * config.timeout_minutes
    try:
        return runner.run(job.folder, job.command, timeout, config.expiry_seconds)
    except OSError as error:
        print(f"error: {job.folder}: {error.strerror}", file=sys.stderr)
        return StorageError.exit_code


def _outcome(job: Job, remote: "submitit.Job[int]", state: str) -> int:
    """Exit code of the runner of a job that is over; notes in the cell's folder what the runner could not."""
    log = remote.paths.stdout
    if not _has_result(remote):
        note_failure(job, f"job {remote.job_id} was ended ({state.lower().replace('_', ' ')})", log)
        return runner.FAILED
    if remote.exception() is not None:
        note_failure(job, f"job {remote.job_id} failed outside of its command", log)
        return runner.FAILED
    code = remote.result()
    if code == runner.STOPPED and not (job.folder / runner.STOP).exists():
        note_failure(job, f"job {remote.job_id} was stopped: a time limit of Slurm, preemption or scancel", log)
    return code


def _has_result(remote: "submitit.Job[int]") -> bool:
    # a listing, unlike a question for one file, makes a network file system look again
    try:
        return remote.paths.result_pickle.name in os.listdir(remote.paths.folder)
    except OSError:
        return False


class _Slurm:
    """Slurm itself."""

    def __init__(self, config: SlurmEngineConfig) -> None:
        if shutil.which("sbatch") is None or shutil.which("srun") is None:  # submitit looks for srun
            raise ConfigError("engine=slurm: there is no sbatch here; call it on a login node, or take engine=local")
        self._config = config
        self._asked, self._suspects = -math.inf, set[str]()

    def executor(self, job: Job) -> "submitit.Executor":
        """What submits a job."""
        import submitit

        config = self._config

        # Without srun and with exec the runner itself is the batch job's process: it gets the signals, and srun's
        # binding to one core (Slurm 22.05 passes --cpus-per-task on no more) does not happen.
        python = f"exec {shlex.quote(sys.executable)}"
        executor = submitit.SlurmExecutor(job.folder / ".submitit", python=python)
        cores, memory = config.cpus_per_device, config.memory_gb_per_device
        given = {
            "job_name": f"retable-{job.key}",
            "partition": config.partition,
            "account": config.account,
            "time": _limit(config),
            "gpus_per_node": job.devices if config.gpus else None,
            "cpus_per_task": None if cores is None else cores * job.devices,
            "mem": None if memory is None else f"{math.ceil(1024 * memory * job.devices)}M",
            # a requeued job would find the answer that its first life has left
            "no_requeue": True,
            # to the runner alone, before Slurm ends everything
            "signal": f"B:TERM@{_WARNING_SECONDS}",
            **{key.replace("-", "_"): value for key, value in config.extra.items()},
        }
        executor.update_parameters(
            additional_parameters={key: value for key, value in given.items() if not (value is None or value is False)},
            # submitit's defaults: five minutes, and a key that clusters with such keys do not know
            time=None,
            wckey=None,
            use_srun=False,
            stderr_to_stdout=True,
        )
        return executor

    def over(self, jobs: Sequence["submitit.Job[int]"]) -> dict[str, str]:
        """Ids of the jobs that are over, with the state that they ended in; does not ask Slurm at every call."""
        over = {job.job_id: "COMPLETED" for job in jobs if _has_result(job)}
        open_jobs = [job for job in jobs if job.job_id not in over]
        if open_jobs and time.monotonic() - self._asked >= self._config.poll_seconds:
            self._asked = time.monotonic()
            ended = _ended(open_jobs)
            # only the second time: the result may be on its way through a network file system
            over.update({key: state for key, state in ended.items() if key in self._suspects})
            self._suspects = set(ended)
        return over

    def alive(self, jobs: Sequence["submitit.Job[int]"]) -> list["submitit.Job[int]"]:
        """Those of the jobs that are not over, at this moment."""
        open_jobs = [job for job in jobs if not _has_result(job)]
        ended = _ended(open_jobs) if open_jobs else {}
        return [job for job in open_jobs if job.job_id not in ended]

    def interrupt(self, jobs: Sequence["submitit.Job[int]"]) -> None:
        """Asks the runners of jobs to stop; those that wait in the queue leave it."""
        keys = [job.job_id for job in jobs]
        _call("scancel", "--state=PENDING", *keys)
        _call("scancel", "--batch", "--signal=TERM", *keys)

    def cancel(self, jobs: Sequence["submitit.Job[int]"]) -> None:
        """Ends jobs."""
        _call("scancel", *(job.job_id for job in jobs))


def _limit(config: SlurmEngineConfig) -> int | None:
    """Slurm's own time limit, in minutes."""
    return None if config.timeout_minutes is None else math.ceil(config.timeout_minutes) + _MARGIN_MINUTES


def _ended(jobs: Sequence["submitit.Job[int]"]) -> dict[str, str]:
    """Ids of the jobs that Slurm says are over, with their states; none if it does not answer.

    One question for all jobs of this user. squeue and not sacct, as not every cluster has an accounting database.
    """
    output = _call("squeue", "--noheader", "--states=all", f"--user={os.getuid()}", "--format=%i|%T")
    if output is None:
        return {}
    states = dict(line.strip().split("|", 1) for line in output.splitlines() if "|" in line)
    found = {job.job_id: states.get(job.job_id, _GONE) for job in jobs}
    return {key: state for key, state in found.items() if state in _OVER}


def _call(*command: str) -> str | None:
    """Output of a command of Slurm; None if it failed, which all of them do when the controller is away."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return None


class _Local:
    """The same with submitit's own executor: processes of this machine that live on as those of Slurm would."""

    def __init__(self, config: SlurmEngineConfig) -> None:
        self._minutes = _limit(config) or 60 * 24 * 365

    def executor(self, job: Job) -> "submitit.Executor":
        import submitit

        executor = submitit.LocalExecutor(job.folder / ".submitit")
        executor.update_parameters(timeout_min=self._minutes, stderr_to_stdout=True)
        return executor

    def over(self, jobs: Sequence["submitit.Job[int]"]) -> dict[str, str]:
        return {job.job_id: job.state for job in jobs if job.done()}

    def alive(self, jobs: Sequence["submitit.Job[int]"]) -> list["submitit.Job[int]"]:
        return [job for job in jobs if not job.done()]

    def interrupt(self, jobs: Sequence["submitit.Job[int]"]) -> None:
        # not cancel(): that kills the runner a second later, whether or not its command has ended
        for job in jobs:
            if not job.done():
                os.kill(int(job.job_id), signal.SIGTERM)

    def cancel(self, jobs: Sequence["submitit.Job[int]"]) -> None:
        for job in jobs:
            job.cancel()
