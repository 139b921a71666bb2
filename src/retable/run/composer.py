"""Composing many configurations that mostly share their groups."""

import copy
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from retable.run import places
from retable.run.command_line import compose


class Composer:
    """Composes groups once, and sets values in a copy, with Hydra's own parser and the schemas' types.

    Hydra takes some tenths of a second for each configuration. What is not a plain ``key=value``, or does not fit, it
    composes in whole.

    Args:
        config_name: As of `retable.run.command_line.compose`.
    """

    def __init__(self, config_name: str = "train") -> None:
        self._name = config_name
        self._bases: dict[tuple[str, ...], DictConfig] = {}

    def compose(self, words: Sequence[str]) -> DictConfig:
        """Composes the configuration of these overrides.

        Raises:
            ConfigError: One of them does not fit.
        """
        groups = tuple(word for word in words if _chooses(word))
        if groups not in self._bases:
            self._bases[groups] = compose(self._name, list(groups))
        config = copy.deepcopy(self._bases[groups])
        try:
            for override in OverridesParser.create().parse_overrides([word for word in words if not _chooses(word)]):
                if override.is_add() or override.is_delete() or override.is_sweep_override():
                    return compose(self._name, list(words))
                OmegaConf.update(config, override.key_or_group, override.value(), merge=True)
        except (HydraException, OmegaConfBaseException):
            return compose(self._name, list(words))  # which says what is wrong
        return config


def _chooses(word: str) -> bool:
    """Whether a word chooses a group's option, or says where options are."""
    key = word.partition("=")[0]
    return key.startswith("hydra") or any((folder / key).is_dir() for folder in places.configurations())
