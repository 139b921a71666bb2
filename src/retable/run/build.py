"""Building what a configuration names by ``_target_``."""

from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig

from retable.errors import ConfigError, RetableError


def build(config: DictConfig, **arguments: Any) -> Any:
    """Builds an object from its ``_target_`` and keys; nested nodes become plain containers.

    Args:
        config: A node with ``_target_``.
        arguments: Further arguments of the target.

    Raises:
        RetableError: What the target itself raised for the user, unchanged.
        ConfigError: The target does not exist, or does not take these keys.
    """
    try:
        return instantiate(config, _convert_="all", **arguments)
    except InstantiationException as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, RetableError):
                raise cause from None
            cause = cause.__cause__
        if error.__cause__ is None or isinstance(error.__cause__, (ImportError, AttributeError, TypeError)):
            text = str(error).split(", set env var")[0].splitlines()[0]
            raise ConfigError(f"{config.get('_target_')}: {text} ({error.__cause__})") from error
        raise
