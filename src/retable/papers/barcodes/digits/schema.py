"""What may be set of the models that read digits from projections."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from retable.options import Options, option
from retable.papers.barcodes.schema import SymbolReaderConfig


@dataclass
class ProjectionsConfig(Options):
    """Projections of a symbol's columns.

    Attributes:
        width: Columns to which a symbol is resized.
        bands: Which of the ten bands of 100 rows are taken, from the top, from 0.
        threshold: What is brighter than this of 255 is white.
        adaptive: Where Otsu's threshold takes its place: ``none``, one of each ``symbol``, or one of each ``band``.
        white_rows: A column of a band counts where more of its 100 rows than these are white. The notebook calls
            ``get_hists(image, width)``, so that the width is taken for this number, and no column ever counts.
        margin: What is seen beside a symbol on either side, as of the data, which is left out.
    """

    width: int = option(1200, least=95)
    bands: list[int] = option([5], least=0, most=9)
    threshold: int = option(50, least=0, most=254)
    adaptive: str = option("none", choices=("none", "symbol", "band"))
    white_rows: int = option(99, least=0)
    margin: float = option(0.0, least=0)


@dataclass
class ProjectionReaderConfig(SymbolReaderConfig):
    """What all of them have.

    Attributes:
        features: What they see of a symbol.
    """

    features: ProjectionsConfig = field(default_factory=ProjectionsConfig)


@dataclass
class BoostedDigitsConfig(ProjectionReaderConfig):
    """Boosted trees, thirteen times: one model of each digit of a code.

    Attributes:
        estimator: A classifier of scikit-learn's kind, with its own keys; each digit has a copy.
    """

    _target_: str = "retable.papers.barcodes.digits.boosted.BoostedDigits"
    estimator: Any = MISSING


@dataclass
class SharedBoostedDigitsConfig(BoostedDigitsConfig):
    """Boosted trees, once: one model of what a digit looks like, wherever it stands.

    Attributes:
        neighbours: Modules that are seen on either side of a digit's seven.
        samples: Columns that are taken of a module.
    """

    _target_: str = "retable.papers.barcodes.digits.shared.SharedBoostedDigits"
    neighbours: int = option(1, least=0, most=3)
    samples: int = option(4, least=1)


@dataclass
class PerceptronConfig(ProjectionReaderConfig):
    """A perceptron of two hidden layers, with ten outputs for each digit.

    Attributes:
        hidden: Units of each hidden layer.
        dropout: Part of them that is left out at a time.
        optimizer: An optimiser of torch, called with parameters and learning rate.
        lr: Learning rate.
    """

    _target_: str = "retable.papers.barcodes.digits.perceptron.PerceptronReader"
    hidden: int = option(512, least=1)
    dropout: float = option(0.2, least=0, below=1)
    optimizer: Any = MISSING
    lr: float = option(1e-3, above=0)


SCHEMAS: dict[str, Any] = {
    "model/digits_xgboost": BoostedDigitsConfig,
    "model/digits_xgboost_shared": SharedBoostedDigitsConfig,
    "model/digits_perceptron": PerceptronConfig,
}
