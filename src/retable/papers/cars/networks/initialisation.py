"""First weights of a network: functions of a module, chosen by ``model/initialisation=...``."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from retable.errors import ConfigError
from retable.papers.cars.networks.resnet import Residual

_POWER_ITERATIONS = 15  # as many as torch makes when a spectral normalisation begins


def dcgan(module: nn.Module) -> None:
    """Draws normal weights with deviation 0.02; those of batch normalisations around 1 (Radford et al. 2016)."""
    _initialise(module, lambda weight: nn.init.normal_(weight, 0.0, 0.02))
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)


def xavier_uniform(module: nn.Module) -> None:
    """Draws uniform weights that keep the variance (Glorot and Bengio 2010), the essay's for its ResNets (4.3.1)."""
    _initialise(module, nn.init.xavier_uniform_)


@torch.no_grad()
def xavier_uniform_main_path(module: nn.Module) -> None:
    """Draws them for the first convolution and for the bodies of residual blocks, as the essay's published code does.

    Shortcuts, self-attention and the last layer stay as torch makes them.

    Raises:
        ConfigError: There are no residual blocks.
    """
    bodies = [block.body for block in module.modules() if isinstance(block, Residual)]
    if not bodies:
        raise ConfigError(
            f"model.initialisation: {type(module).__name__} has no residual blocks, and so no main path; "
            "use model/initialisation=xavier_uniform"
        )
    for weight in (next(trained_weights(module)), *(weight for body in bodies for weight in trained_weights(body))):
        nn.init.xavier_uniform_(weight)
    for layer in module.modules():
        if parametrize.is_parametrized(layer, "weight"):
            _find_singular_vectors_again(layer)


def orthogonal(module: nn.Module) -> None:
    """Draws random orthogonal matrices (Saxe et al. 2013), the essay's for SAGAN with orthogonality (3.4)."""
    _initialise(module, nn.init.orthogonal_)


def trained_weights(network: nn.Module) -> Iterator[Tensor]:
    """Yields the weight of each convolution and linear layer: what is trained, before any spectral normalisation."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            is_parametrized = parametrize.is_parametrized(layer, "weight")
            yield layer.get_parameter("parametrizations.weight.original" if is_parametrized else "weight")


def weight_matrices(network: nn.Module) -> Iterator[Tensor]:
    """Yields the trained weights as matrices of which `orthogonal` makes the rows orthonormal, for regularisation.

    They are views through which gradients flow: (rows, columns) with rows <= columns. A row is an output channel (of a
    transposed convolution an input channel, as the convolution of which it is the transpose has it), or a column of a
    tall matrix.
    """
    for weight in trained_weights(network):
        matrix = weight.flatten(1)
        yield matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T


@torch.no_grad()
def _initialise(module: nn.Module, initialise: Callable[[Tensor], object]) -> None:
    """Gives all convolutions and linear layers new weights and zero biases, and batch normalisations ones and zeros."""
    for weight in trained_weights(module):
        initialise(weight)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
        elif isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
            if parametrize.is_parametrized(layer, "weight"):
                _find_singular_vectors_again(layer)


def _find_singular_vectors_again(layer: nn.Module) -> None:
    """Makes a spectral normalisation forget the former weight, of which it still holds the singular vectors."""
    was_training = layer.training
    layer.train()
    for _ in range(_POWER_ITERATIONS):
        _ = layer.weight  # each look at it in training mode is one power iteration
    layer.train(was_training)
