"""What a test may change, where an option is younger than the run that it tests."""

import pytest

from retable.errors import ConfigError
from retable.run.command_line import compose
from retable.run.configuration import identity
from retable.run.tested import changes

WORDS = ["model=scanline_reader", "data=barcode_symbols", "budget=smoke"]


def test_an_option_that_the_run_did_not_have_is_no_change_while_it_has_its_default() -> None:
    trained = identity(compose("train", WORDS))
    del trained["model.wrong_answers"]
    assert changes(compose("train", WORDS), trained) == {}
    with pytest.raises(ConfigError, match=r"model\.wrong_answers: it acts in training"):
        changes(compose("train", [*WORDS, "model.wrong_answers=0.5"]), trained)
    assert changes(compose("train", [*WORDS, "model.certain=0.5"]), trained) == {"model.certain": 0.5}
