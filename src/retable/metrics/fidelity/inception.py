"""The published Inception network of FID, by torch-fidelity, from a checked file."""

from __future__ import annotations

import logging
from pathlib import Path

from retable.errors import CheckpointError
from retable.metrics.fidelity.extractors import Extractor
from retable.nn.backbones import download_address, sha256

log = logging.getLogger(__name__)

SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
"""Of the weights of December 2015, which pytorch-fid and torch-fidelity publish as the same file."""


class InceptionExtractor(Extractor):
    """Inception v3 of 2015 with TensorFlow's resizing to 299 pixels: 2,048 features, 1,008 logits without bias.

    Args:
        weights: File of the published weights.

    Raises:
        CheckpointError: The file is missing, or is another one than was published.
    """

    suffix = ""

    def __init__(self, weights: Path) -> None:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        _check(weights)  # before it is loaded: torch-fidelity unpickles whatever the file holds
        network = FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(weights)
        )
        super().__init__(network, batch_size=32)  # 299 x 299 pixels: some 0.2 GB of activations
        self.origin = f"inception-v3-compat sha256:{SHA256}"


def _check(path: Path) -> None:
    try:
        digest, size = sha256(path), path.stat().st_size
    except OSError as error:
        raise CheckpointError(f"{path}: Inception weights cannot be read ({error.strerror})") from None
    if digest != SHA256:
        raise CheckpointError(
            f"{path}: not the published Inception weights, or truncated: its sha256 begins {digest[:8]} ({size:,} "
            f"bytes), {SHA256[:8]} is needed; get {_address()} (model.fidelity.weights)"
        )


def find(weights: str | None) -> Path | None:
    """Finds the weights: the given file, or torch-fidelity's own, from torch's cache or downloaded; None without.

    It gives up within seconds where no server answers.
    """
    if weights is not None:
        return Path(weights).expanduser()
    return download_address(_address())


def inception(weights: str | None = None) -> Extractor:
    """Builds the Inception extractor from a file of weights; without one they are downloaded.

    Raises:
        CheckpointError: There are no weights, or other ones than the published.
    """
    path = find(weights)
    if path is None:
        raise CheckpointError(
            f"Inception weights cannot be downloaded: get {_address()} and give model.fidelity.weights=FILE, or "
            "choose another extractor with model/fidelity=NAME"
        )
    return InceptionExtractor(path)


def _address() -> str:
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    return str(URL_INCEPTION_V3)
