"""Runs cells through an engine until none is left, beside other processes that may do the same."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from retable.tables import runner
from retable.tables.engines import Engine, Job
from retable.tables.store import Failure, State, Store

_POLL_SECONDS = 0.05
_LOOK_ELSEWHERE_SECONDS = 1.0


@dataclass
class Progress:
    """How far it is; the keys are those of the jobs.

    Attributes:
        waiting: Not started yet, in their order.
        running: Started here, with the time (monotonic) of their start.
        elsewhere: Run by another process.
        done: Finished, here or elsewhere.
        failed: Failed, with what is known.
        seconds: How long those took that were run here from start to end.
    """

    waiting: list[str] = field(default_factory=list)
    running: dict[str, float] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    failed: dict[str, Failure] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)


def run(
    jobs: Sequence[Job],
    engine: Engine,
    store: Store,
    show: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Runs jobs, whose keys are ids of cells, in their order until each is done or has failed once.

    One that comes after another waits for it, and fails with it.

    `show` is called whenever something has changed, and about every second.

    Raises:
        KeyboardInterrupt: It was interrupted; the jobs have been stopped by then.
    """
    by_key = {job.key: job for job in jobs}
    progress = Progress(waiting=list(by_key))
    looked = shown = time.monotonic()
    try:
        while progress.waiting or progress.running or progress.elsewhere:
            changed = _start(progress, by_key, engine, store) or _give_up(progress, by_key, store)
            for key, code in engine.ended().items():
                _settle(progress, key, code, store)
                changed = True
            now = time.monotonic()
            if now - looked > _LOOK_ELSEWHERE_SECONDS:
                looked = now
                _look_elsewhere(progress, store)
            if changed or now - shown > _LOOK_ELSEWHERE_SECONDS:
                shown = now
                show(progress)
            if not changed:
                time.sleep(_POLL_SECONDS)
    finally:
        engine.stop()
    show(progress)
    return progress


def _start(progress: Progress, jobs: Mapping[str, Job], engine: Engine, store: Store) -> bool:
    for key in progress.waiting:
        if _state_before(progress, jobs[key], jobs, store) is not State.done:
            continue
        state = store.status(key).state
        if state is State.done:  # another process was faster
            progress.done.append(key)
        elif state is State.running:
            progress.elsewhere.append(key)
        elif engine.start(jobs[key]):
            progress.running[key] = time.monotonic()
        else:
            return False
        progress.waiting.remove(key)
        return True
    return False


def _state_before(progress: Progress, job: Job, jobs: Mapping[str, Job], store: Store) -> State:
    """State of the job that must be done before one."""
    if not job.after or job.after in progress.done:
        return State.done
    if job.after in progress.failed:
        return State.failed
    return State.pending if job.after in jobs else store.status(job.after).state


def _give_up(progress: Progress, jobs: Mapping[str, Job], store: Store) -> bool:
    """Fails those that wait for one that has failed; whether there were any."""
    lost = [key for key in progress.waiting if _state_before(progress, jobs[key], jobs, store) is State.failed]
    for key in lost:
        progress.waiting.remove(key)
        reason = f"the training that it tests failed ({jobs[key].after})"
        progress.failed[key] = Failure(reason, runner.FAILED, (), attempts=0, transient=True, finished="")
    return bool(lost)


def _settle(progress: Progress, key: str, code: int, store: Store) -> None:
    started = progress.running.pop(key)
    status = store.status(key)
    if status.state is State.done or (code == runner.DONE and status.stale):  # the code was edited while it ran
        progress.done.append(key)
        progress.seconds.append(time.monotonic() - started)
    elif code == runner.BUSY or status.state is State.running:
        progress.elsewhere.append(key)
    else:
        progress.failed[key] = status.failure or Failure(
            runner.meaning(code), code, (), attempts=1, transient=True, finished=""
        )


def _look_elsewhere(progress: Progress, store: Store) -> None:
    for key in list(progress.elsewhere):
        status = store.status(key)
        if status.state is State.running:
            continue
        progress.elsewhere.remove(key)
        if status.state is State.done:
            progress.done.append(key)
        elif status.failure is not None:
            progress.failed[key] = status.failure
        else:
            progress.waiting.append(key)  # its process has died: it is ours now
