"""Adversarial losses of discriminator and generator, as functions of the discriminator's logits."""

from abc import ABC, abstractmethod

import torch.nn.functional as F
from torch import Tensor


class AdversarialLoss(ABC):
    """A loss for the discriminator and one for the generator; logits above 0 mean real."""

    @abstractmethod
    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Computes the discriminator's loss.

        Args:
            real: Logits (B,) of real images.
            fake: Logits (B,) of generated images.

        Returns:
            A scalar, the mean over the batch.
        """

    @abstractmethod
    def generator(self, fake: Tensor) -> Tensor:
        """Computes the generator's loss for logits (B,) of generated images: a scalar, the mean over the batch."""

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
