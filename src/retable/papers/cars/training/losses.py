"""Adversarial losses of discriminator and generator, and penalties on weights and gradients."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from retable.papers.cars.networks.initialisation import weight_matrices


class AdversarialLoss(ABC):
    """A loss for the discriminator and one for the generator; logits above 0 mean real."""

    @abstractmethod
    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Computes the discriminator's loss for logits (B,) of real and of generated images: a scalar, a mean."""

    @abstractmethod
    def generator(self, fake: Tensor) -> Tensor:
        """Computes the generator's loss for logits (B,) of generated images: a scalar, a mean."""

    def encoder(self, real: Tensor) -> Tensor:
        """Computes the loss of an encoder E for logits (B,) of real pairs (x, E(x)), to be taken for generated ones.

        Both losses are symmetric: being taken for generated at a logit is being taken for real at its negative.
        """
        return self.generator(-real)


class BinaryCrossEntropy(AdversarialLoss):
    """Cross-entropy of (1), the generator's in its non-saturating form -log D(G(z)) (arXiv 1406.2661, section 3).

    The essay prints the minimax form log(1 - D(G(z))); the tutorial that it is based on trains the other.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Computes -log D(x) - log(1 - D(G(z))): their sum, as in the tutorial, not their mean."""
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator(self, fake: Tensor) -> Tensor:
        """Computes -log D(G(z))."""
        return F.softplus(-fake).mean()


class Hinge(AdversarialLoss):
    """Hinge loss of SAGAN (arXiv 1805.08318, (4)) and BigGAN, on logits without a sigmoid."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Computes max(0, 1 - D(x)) + max(0, 1 + D(G(z)))."""
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()

    def generator(self, fake: Tensor) -> Tensor:
        """Computes -D(G(z))."""
        return -fake.mean()


def orthogonal_penalty(network: nn.Module, diagonal: bool = True) -> Tensor:
    """Measures how far the weights of a network are from orthogonal: the sum of |W W^T - I|^2 over its layers.

    Brock et al. 2016 (arXiv 1609.07093), which the essay names, as BigGAN (arXiv 1809.11096, (2)) writes it down: the
    squared Frobenius norm. BigGAN itself leaves out the diagonal, (3), and so lets the filters have any length; the
    essay wants weights to "maintain their original orthogonal property", which has length 1.

    W is the matrix that orthogonal initialisation makes orthogonal: see `weight_matrices`. Of spectrally normalised
    layers it is the weight before it is normalised. Biases are left out.

    Returns:
        A scalar, differentiable in the weights.
    """
    penalties = []
    for matrix in weight_matrices(network):
        products = matrix @ matrix.T
        lengths = products.diagonal()
        penalty = products.square().sum() - lengths.square().sum()
        penalties.append(penalty + (lengths - 1).square().sum() if diagonal else penalty)
    return torch.stack(penalties).sum()


def gradient_penalty(score: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Computes R1 of Mescheder et al. (arXiv 1801.04406, (9)) without its weight: mean |dD/dx|^2 on real images.

    Beyond the essay. Computed in each step, without automatic mixed precision. The gradient of the sum of all scores is
    what is computed: that of each sample's own score, but for batch normalisation in the discriminator, which couples
    the samples of a batch.

    Args:
        score: Maps images (B, 3, S, S) to logits (B,), differentiably.
        images: Real ones.

    Returns:
        A scalar, differentiable in the parameters of the score.
    """
    with torch.autocast(images.device.type, enabled=False):
        images = images.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(score(images).sum(), images, create_graph=True)
        return gradient.square().flatten(1).sum(dim=1).mean()
