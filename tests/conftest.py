"""For all tests."""

import signal
import sys
from collections.abc import Iterator

import pytest

from retable.run import interrupts

# a shell's background jobs ignore Ctrl-C, and children inherit that; some tests send it to the processes they start
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Papers outside of the checkout that a test names are forgotten at its end."""
    monkeypatch.setenv("RETABLE_PAPERS", "")


@pytest.fixture(autouse=True)
def seeded() -> None:
    """What a test draws without a generator of its own is the same in any order of the tests."""
    if "torch" in sys.modules:  # tests without torch need not wait for it
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """What an entry point that is called in this process does with signals ends with the test."""
    before = {number: signal.getsignal(number) for number in interrupts.SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
