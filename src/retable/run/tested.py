"""What a test of a finished run may change, and what names such a test. Nothing here imports torch."""

from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from retable.errors import ConfigError
from retable.run.configuration import hash_of, identity

_FREE = ("data", "trainer", "test_checkpoint")


def changes(asked: DictConfig, trained: dict[str, Any]) -> dict[str, Any]:
    """What is other in a test than in the run that it tests, by dotted key.

    Args:
        asked: The composed configuration of the test.
        trained: The run's configuration, of what `identity` returns.

    Raises:
        ConfigError: It is more than data, trainer, checkpoint and the options that the model's config dataclass names
            as ``inference_options``.
    """
    ours = identity(asked)
    schema = OmegaConf.get_type(asked, "model")
    # an option that the model did not have when it was trained is none that it was trained with
    defaults = OmegaConf.create({"model": OmegaConf.structured(schema)}) if is_dataclass(schema) else OmegaConf.create()
    new = {
        key
        for key in ours
        if key not in trained and OmegaConf.select(defaults, key, throw_on_missing=False) == ours[key]
    }
    differs = {key for key in ours | trained if ours.get(key) != trained.get(key)}
    found = {key: ours.get(key) for key in sorted(differs - new)}
    options = sorted(getattr(schema, "inference_options", ()))
    free = [f"model.{name}" for name in options]
    for key in found:
        named = any(key == name or key.startswith(f"{name}.") for name in free)
        if key.split(".")[0] not in _FREE and not named and key != "model.weights":
            raise ConfigError(
                f"{key}: it acts in training, so a test cannot change it from {trained.get(key)}; "
                f"of this model a test may change {', '.join(free) or 'nothing'}"
            )
    return found


def keep_trained(asked: DictConfig, trained: dict[str, Any], words: Sequence[str]) -> None:
    """Gives the model of a test what its run had, where a default has changed since then and nobody asks for another.

    Args:
        asked: The composed configuration of the test, changed in place.
        trained: The run's configuration, of what `identity` returns.
        words: The overrides of the test.
    """
    named = [word.lstrip("+~").partition("=")[0].replace("/", ".") for word in words]
    for key, value in identity(asked).items():
        kept = trained.get(key, value)
        if key.startswith("model.") and kept != value and not any(f"{key}.".startswith(f"{name}.") for name in named):
            OmegaConf.update(asked, key, kept)


def test_hash(values: dict[str, Any], trained: str) -> str:
    """Twelve hexadecimal digits that name what a test computes.

    Args:
        values: Of its configuration, of what `identity` returns; ``test_checkpoint`` in it says which weights.
        trained: The ``config_hash`` of the run that it tests.
    """
    return hash_of({**values, "trained": trained})


test_hash.__test__ = False  # type: ignore[attr-defined]  # not a test of ours, whatever pytest makes of its name
