"""Networks by their options."""

from typing import Any

from torch import nn

from retable.run.build import options_of


def built(network: Any, *sizes: int, **options: Any) -> Any:
    """A network of these options, and of the image size and perhaps the latent size."""
    config = options_of(network)
    assert config is not None
    made: nn.Module = network(config(**options), *sizes)
    return made
