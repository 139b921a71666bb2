"""Builds the domain extractor from the weights in the package."""

from __future__ import annotations

import hashlib
import logging
from importlib.resources import files
from io import BytesIO
from typing import Final

import torch

from retable.errors import CheckpointError, ConfigError
from retable.metrics.fidelity.extractors import Extractor
from retable.metrics.fidelity.inception import InceptionExtractor, find
from retable.nn.backbones import first_line
from retable.papers.cars.domain.network import DomainNetwork

log = logging.getLogger(__name__)

WEIGHTS: Final = files("retable.papers.cars.domain") / "weights.pt"


class DomainExtractor(Extractor):
    """160 features, and logits of 8 views x the kinds of bodies, of a network that was trained on generated cars.

    How it came to be: `retable.papers.cars.domain.train`.

    Raises:
        CheckpointError: The weights in the package are damaged.
    """

    suffix = "_domain"

    def __init__(self) -> None:
        network = DomainNetwork()
        try:
            content = WEIGHTS.read_bytes()
            weights = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
            counters = {name: value for name, value in network.state_dict().items() if not value.is_floating_point()}
            network.load_state_dict(counters | {name: value.float() for name, value in weights.items()})
        except Exception as error:  # missing, cut short, or of another version: what torch raises differs
            raise CheckpointError(f"{WEIGHTS}: damaged, install the package anew ({first_line(error)})") from error
        super().__init__(network, batch_size=256)
        self.origin = f"cars-domain sha256:{hashlib.sha256(content).hexdigest()}"


def domain(weights: str | None = None) -> Extractor:
    """Builds the domain extractor.

    Raises:
        ConfigError: Inception weights are given, which it would not read.
        CheckpointError: Its own are damaged.
    """
    if weights is not None:
        raise ConfigError(
            f"model.fidelity.weights={weights}: the domain extractor brings its own; use model/fidelity=inception"
        )
    return DomainExtractor()


def inception_or_domain(weights: str | None = None) -> Extractor:
    """Builds the Inception extractor where its weights can be had, else the domain extractor, with a warning.

    Args:
        weights: File of the published Inception weights; without one they are downloaded.

    Raises:
        CheckpointError: The file is missing or not the published one; the domain extractor never stands in for it.
    """
    path = find(weights)
    if path is not None:
        return InceptionExtractor(path)
    log.warning(
        "Inception weights cannot be had (no network?): the scores are those of the domain extractor, fid_domain and "
        "the like, and no FID. Give the weights with model.fidelity.weights=FILE"
    )
    return DomainExtractor()
