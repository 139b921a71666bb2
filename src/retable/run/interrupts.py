"""Being asked to stop: each way of it raises KeyboardInterrupt, and has an exit code of its own.

They are Ctrl-C, SIGTERM (a scheduler, a container, a machine that is taken away), SIGHUP (a terminal that is closed),
and SIGUSR1 and SIGUSR2, which Slurm is often told to send ahead of a preemption.
"""

import os
import signal
import threading
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_received = signal.SIGINT
_asked = False
_owner = 0


def listen(anew: bool = False) -> None:
    """Lets all of them end this process as Ctrl-C does, but those that whoever started it has ignored (nohup).

    Args:
        anew: Whether what came before is forgotten.
    """
    global _asked, _owner
    _asked = _asked and not anew
    if threading.current_thread() is not threading.main_thread():
        return
    _owner = os.getpid()
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def asked() -> bool:
    """Whether one of them came: what fails after that, such as a loader that got the signal as well, fails of it."""
    return _asked


def exit_code() -> int:
    """128 and the number of the signal that came last: 130 of Ctrl-C, 143 of SIGTERM, 129 of SIGHUP."""
    return 128 + _received


CODES = frozenset(128 + number for number in SIGNALS)
"""All exit codes of a process that was asked to stop."""


def _interrupt(number: int, _frame: FrameType | None) -> None:
    global _asked, _received
    if os.getpid() != _owner:  # a forked worker, which has nothing to put in order
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return
    _asked, _received = True, signal.Signals(number)
    raise KeyboardInterrupt(_received.name)
