"""What a user gives a trained model to work on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retable.errors import ConfigError


def given_input(options: Mapping[str, Any]) -> Path:
    """The file or folder that ``predict.py`` was given, for a model that needs one.

    Args:
        options: Those of ``predict.py``; ``input`` is None where it was left out.

    Raises:
        ConfigError: It was left out.
    """
    if options.get("input") is None:
        raise ConfigError("input: no value; this model needs an image or a folder of images: input=PATH")
    return Path(options["input"]).expanduser()
