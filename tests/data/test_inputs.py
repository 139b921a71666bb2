"""What a user gives a trained model to work on."""

from pathlib import Path

import pytest

from retable.data.inputs import given_input
from retable.errors import ConfigError


def test_a_given_input_is_a_path() -> None:
    assert given_input({"input": "photos/a.jpg", "n": 64}) == Path("photos/a.jpg")
    assert given_input({"input": "~/photos"}) == Path.home() / "photos"


@pytest.mark.parametrize("options", [{"input": None}, {}])
def test_a_missing_input_is_told(options: dict[str, None]) -> None:
    with pytest.raises(ConfigError, match="input: no value; this model needs an image or a folder of images"):
        given_input(options)
