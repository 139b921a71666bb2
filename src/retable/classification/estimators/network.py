"""A scikit-learn-like estimator as a network without weights: images in, logarithms of probabilities out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from retable.classification.estimators.features import Features
from retable.classification.estimators.persistence import from_bytes, to_bytes
from retable.errors import CheckpointError, ConfigError

_LEAST = 1e-6  # a probability of 0 is taken for this one, since the logarithm of 0 is no number


class EstimatorNetwork(nn.Module):
    """An estimator with its features. The state dict holds the fitted estimator as bytes.

    Args:
        estimator: Has ``fit``, and ``predict_proba`` or ``decision_function``.
        features: Describes images (B, 3, S, S) in [0, 1] by rows of numbers.
        classes: Number of classes C.
    """

    fitted: Tensor
    seen: Tensor

    def __init__(self, estimator: Any, features: Callable[[Tensor], Features], classes: int) -> None:
        super().__init__()
        self.estimator, self.features, self.classes = estimator, features, classes
        self.register_buffer("fitted", torch.empty(0, dtype=torch.uint8))
        self.register_buffer("seen", torch.empty(0, dtype=torch.int64))

    def fit(self, features: Features, labels: npt.NDArray[np.int64]) -> None:
        """Fits the estimator.

        Args:
            features: (N, F).
            labels: (N,) from 0 to C - 1; not all classes need to be there.

        Raises:
            ConfigError: The estimator refuses a value of its own keys, which it checks here only.
        """
        seen, codes = np.unique(labels, return_inverse=True)  # XGBoost wants labels without gaps
        try:
            self.estimator.fit(features, codes)
        except ValueError as error:  # XGBoost's own among them
            raise ConfigError(f"model.estimator: {str(error).splitlines()[0]}") from error
        self.seen = torch.from_numpy(seen)
        self.fitted = torch.frombuffer(bytearray(to_bytes(self.estimator)), dtype=torch.uint8)

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # nothing in it is for a compiler
    def forward(self, images: Tensor) -> Tensor:
        """Classifies images (B, 3, S, S) in [0, 1]; returns logarithms of probabilities (B, C).

        Without `predict_proba` they are the softmax of the decision function, which says who is ahead but is no
        calibrated probability. Before the fit all classes are alike.
        """
        return self.classify(self.features(images)).to(images.device)

    def classify(self, features: Features) -> Tensor:
        """Classifies rows of features (B, F); returns logarithms of probabilities (B, C)."""
        probabilities = torch.zeros(len(features), self.classes)
        seen = self.seen.cpu()  # the estimator works there, wherever the images are
        if not len(seen):
            probabilities += 1 / self.classes
        elif hasattr(self.estimator, "predict_proba"):
            probabilities[:, seen] = torch.from_numpy(self.estimator.predict_proba(features)).float()
        else:
            decision = torch.from_numpy(np.asarray(self.estimator.decision_function(features))).float()
            if decision.dim() == 1:  # of two classes the second one's
                decision = torch.stack([-decision, decision], dim=1)
            probabilities[:, seen] = decision.softmax(dim=1)
        return probabilities.clamp(min=_LEAST).log()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        # the bytes are as many as they are
        for name in ("fitted", "seen"):
            stored = state_dict.get(prefix + name)
            if stored is not None:
                setattr(self, name, torch.empty_like(stored, device=getattr(self, name).device))
        super()._load_from_state_dict(state_dict, prefix, *rest)
        if len(self.fitted):
            self.estimator = from_bytes(self.estimator, self.fitted.cpu().numpy().tobytes())
            seen = self.seen.tolist()
            if len(seen) != len(self.estimator.classes_) or seen != sorted(set(seen) & set(range(self.classes))):
                raise CheckpointError("the checkpoint holds other classes than its estimator")
