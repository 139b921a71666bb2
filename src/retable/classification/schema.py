"""What may be set of classifiers."""

from dataclasses import dataclass
from typing import Any, ClassVar

from omegaconf import MISSING

from retable.errors import ConfigError
from retable.options import Options, option


@dataclass
class ClassifierConfig(Options):
    """What all classifiers have.

    Attributes:
        subject: What is classified: class list and how files are read, see `retable.classification.subject.Subject`.
        input_size: Width in pixels to which images are resized, and their height where nothing else is said.
    """

    task: ClassVar[str] = "images of one class each"

    subject: Any = MISSING
    input_size: int = option(least=1)


@dataclass
class TrainedNetworkConfig(ClassifierConfig):
    """A network that is trained, however.

    Attributes:
        network: The network, called with ``input_size`` and ``classes``, the number of classes.
        input_height: Height in pixels to which images are resized; null makes squares.
        label_smoothing: Part of the truth that is spread over all classes.
        weights: Starting weights of a published network: ``imagenet`` (from scratch, with a warning, where they cannot
            be had), ``none``, or a file.
    """

    network: Any = MISSING
    input_height: int | None = option(None, least=1)
    label_smoothing: float = option(0.0, least=0, below=1)
    weights: str = "none"


@dataclass
class NetworkConfig(TrainedNetworkConfig):
    """A network and its training by one optimiser.

    Attributes:
        optimizer: An optimiser of torch, called with parameters and learning rate.
        lr: Learning rate.
        schedule: ``constant``, or ``cosine``: the rate falls to zero over the whole training.
        warmup: Iterations of linear warm-up.
    """

    _target_: str = "retable.classification.network_classifier.NetworkClassifier"
    optimizer: Any = MISSING
    lr: float = option(above=0)
    schedule: str = option("constant", choices=("constant", "cosine"))
    warmup: int = option(0, least=0)


@dataclass
class OpenNetworkConfig(NetworkConfig):
    """A network that answers ``unknown``, too, and learns that from images of no class.

    Attributes:
        rejected: Part of the validation images of the classes that may be called unknown; it sets the threshold.
    """

    _target_: str = "retable.classification.open_classifier.OpenClassifier"
    rejected: float = option(0.03, above=0, below=1)


@dataclass
class PhasedNetworkConfig(TrainedNetworkConfig):
    """A network and its training in phases.

    Attributes:
        phases: The phases, see `retable.nn.phases`.
    """

    _target_: str = "retable.classification.network_classifier.PhasedClassifier"
    phases: Any = MISSING


@dataclass
class EstimatorConfig(ClassifierConfig):
    """A classical model.

    Attributes:
        estimator: A classifier of scikit-learn's kind, with its own keys.
        features: What it sees of an image; ``model/features=pixels`` or ``hog``.
    """

    _target_: str = "retable.classification.estimators.lightning_model.EstimatorClassifier"
    estimator: Any = MISSING
    features: Any = MISSING
    input_size: int = option(32, least=1)


@dataclass
class OrientedGradientsConfig(Options):
    """Histograms of oriented gradients.

    Attributes:
        cell: Side of a cell in pixels; images must be whole cells, two at least.
        bins: Orientations, over half a turn.
    """

    cell: int = option(8, least=2)
    bins: int = option(9, least=2)


@dataclass
class PredictionOptions(Options):
    """What ``predict.py`` may be asked of a classifier.

    Attributes:
        input: An image, a folder of images, or a pattern such as ``photos/*.jpg``.
        unknown_below: Probability below which an answer is ``unknown``; null: the model's own threshold.
    """

    elsewhere: ClassVar[dict[str, str]] = {
        "classifier": "run= names a classifier already: give the detector's folder as run=, this one as classifier="
    }

    input: str = MISSING
    unknown_below: float | None = option(None, least=0, most=1)


SCHEMAS: dict[str, type] = {}  # a paper names its own, with its subject


def check_sources(root: str | None, train_on: str, test_on: str, what: str) -> None:
    """Refuses data that are to be real without files, and files that nothing is done with.

    Args:
        root: Folder of the real ones.
        train_on: ``generated``, ``real`` or ``both``.
        test_on: ``generated`` or ``real``.
        what: What they are called, in the plural.

    Raises:
        ConfigError: They do not fit together.
    """
    for key, source in (("train_on", train_on), ("test_on", test_on)):
        if root is None and source != "generated":
            raise ConfigError(f"data.{key}={source} needs real {what}: give data.root=FOLDER")
    if root is not None and train_on == test_on == "generated":
        raise ConfigError(f"data.root is given, but data.train_on and data.test_on use no real {what}")
