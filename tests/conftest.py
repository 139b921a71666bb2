"""For all tests."""

import signal

import pytest

# a shell's background jobs ignore Ctrl-C, and children inherit that; some tests send it to the processes they start
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Papers outside of the checkout that a test names are forgotten at its end."""
    monkeypatch.setenv("RETABLE_PAPERS", "")
