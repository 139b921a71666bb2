import logging

import pytest

from retable.detection.stages import Stopwatch, log_medians, medians


def test_stages_are_added_up_and_their_medians_told(caplog: pytest.LogCaptureFixture) -> None:
    watch = Stopwatch()
    for name in ("reading", "drawing", "drawing"):
        with watch.stage(name):
            pass
    assert list(watch.milliseconds) == ["reading", "drawing"]
    found = medians(
        [{"reading": 1.0, "drawing": 9.0}, {"reading": 3.0, "drawing": 1.0}, {"reading": 2.0, "drawing": 2.5}]
    )
    assert found == {"reading": 2.0, "drawing": 2.5, "all": 4.5}
    with caplog.at_level(logging.INFO):
        log_medians(found, "the paper: 90 ms")
    assert caplog.messages == ["median milliseconds an image: reading 2.0, drawing 2.5; in all 4.5 (the paper: 90 ms)"]
    assert medians([]) == {}
