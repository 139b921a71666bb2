"""What may be set of drawings and of the models: ``conf/data/emoji.yaml`` and ``conf/model/emoji_*.yaml``."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from omegaconf import II

from retable.classification.schema import EstimatorConfig, NetworkConfig, check_sources
from retable.data.schema import ImageChecks
from retable.errors import ConfigError
from retable.options import Options, option


@dataclass
class Fractions(Options):
    """Relative sizes of the splits; only their proportions count."""

    train: float = option(0.6, above=0)
    val: float = option(0.2, above=0)
    test: float = option(0.2, above=0)


@dataclass
class Augmentation(Options):
    """What varies from one sight of a drawing to the next. The paper names no augmentation.

    Attributes:
        enabled: Whether anything varies at all.
        horizontal_flip: Probability of mirroring left and right, which changes no class.
        rotation_degrees: The angle is drawn from -rotation_degrees to rotation_degrees.
        scale: The magnification is drawn from this range, even in its logarithm.
        shift: The middle moves by up to this part of the side, each way.
        shear: Lines slant, and the two axes differ in length, by up to this part.
        wobble: Points move smoothly by about this part of the side: no two circles are alike.
        thinner: How much thinner lines may get, as a part of a pixel on each side.
        thicker: How much thicker, likewise.
        brightness: An offset from -brightness to brightness, as a part of full scale.
        contrast: The contrast is multiplied by 1 - contrast to 1.
        colour: Red, green and blue are multiplied by 1 - colour to 1, each by its own.
        shade: The light falls off by up to this part towards one side.
        invert: Probability of light on dark.
        blur: Probability of a blur, of up to about a pixel.
        noise: Largest standard deviation of the noise, as a part of full scale.
        erase: Probability that a square of up to a quarter of the side is wiped out.
    """

    enabled: bool = False
    horizontal_flip: float = option(0.5, least=0, most=1)
    rotation_degrees: float = option(15.0, least=0, most=180)
    scale: tuple[float, float] = option((0.8, 1.1), above=0)
    shift: float = option(0.08, least=0, most=1)
    shear: float = option(0.15, least=0, most=1)
    wobble: float = option(0.02, least=0, most=1)
    thinner: float = option(0.4, least=0, most=1)
    thicker: float = option(0.8, least=0, most=1)
    brightness: float = option(0.1, least=0, most=1)
    contrast: float = option(0.3, least=0, most=1)
    colour: float = option(0.1, least=0, most=1)
    shade: float = option(0.1, least=0, most=1)
    invert: float = option(0.0, least=0, most=1)
    blur: float = option(0.3, least=0, most=1)
    noise: float = option(0.04, least=0, most=1)
    erase: float = option(0.2, least=0, most=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale[0] > self.scale[1]:
            raise ConfigError(f"data.augment.scale={list(self.scale)}: must be two numbers, the smaller first")


@dataclass
class EmojiConfig(ImageChecks):
    """Drawings of the eight emoji: generated ones, real ones from files, or both.

    Attributes:
        root: Folder of real drawings: one folder a class, or labels.csv; null takes the generator.
        train_on: What is learnt from: ``generated``, ``real`` or ``both``; null is real where there is a root, else
            generated.
        test_on: What is tested on: ``generated`` or ``real``; null as of train_on.
        drawings: Generator, called with count, image_size, seed and split.
        per_class: Generated drawings of each class, over all splits.
        drawings_seed: Seed of the generated drawings; apart from the run's seed, so that all seeds see one dataset.
        fractions: Relative sizes of the splits, each class alike.
        split_seed: Which real drawings go into which split.
        train_hands: Who drew the real drawings that are learnt from; null: all whom the other two leave.
        val_hands: Who drew the real drawings that choose the best epoch; null: a share of those of the training.
        test_hands: Who drew the real drawings that are tested; null splits them by class alone.
        image_size: Side of the canvas in pixels; models resize it to their own.
        crop_to_ink: Whether the canvas shows the drawing with a margin, rather than the whole image.
        batch_size: Images of a training batch, over all processes.
        eval_batch_size: Images of a validation or test batch, of one process.
        workers: Loader processes of each process; null: one less than its cores, at least 1, at most 4.
        cache_megabytes: Memory for generated drawings of each process and each of its loaders (training, validation),
            shared among the loader's workers; beyond it they are drawn anew in each epoch.
        augment: Training augmentation.
    """

    task: ClassVar[str] = "images of one class each"

    _target_: str = "retable.papers.emoji.data_module.EmojiDataModule"
    root: str | None = None
    train_on: str | None = option(None, choices=("generated", "real", "both"))
    test_on: str | None = option(None, choices=("generated", "real"))
    drawings: Any = None
    per_class: int = option(500, least=3)
    drawings_seed: int = 0
    fractions: Fractions = field(default_factory=Fractions)
    split_seed: int = 0
    train_hands: list[str] | None = None
    val_hands: list[str] | None = None
    test_hands: list[str] | None = None
    image_size: int = option(64, least=8)
    crop_to_ink: bool = True
    batch_size: int = option(32, least=1)
    eval_batch_size: int = option(100, least=1)
    workers: int | None = None
    cache_megabytes: int = 1024
    augment: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        super().__post_init__()
        default = "generated" if self.root is None else "real"
        self.train_on, self.test_on = self.train_on or default, self.test_on or default
        sources = {"train_on": self.train_on, "test_on": self.test_on}
        check_sources(self.root, self.train_on, self.test_on, "drawings")
        for role, hands in (("train", self.train_hands), ("val", self.val_hands), ("test", self.test_hands)):
            key = "test_on" if role == "test" else "train_on"
            if hands is not None and sources[key] == "generated":
                raise ConfigError(
                    f"data.{role}_hands: there are no real drawings for {role}, as data.{key} is generated; drop it"
                )


@dataclass
class FacesConfig(Options):
    """How a model reads a user's files: onto canvases as those that it was trained on.

    Attributes:
        image_size: Side of the canvas in pixels.
        crop_to_ink: Whether the canvas shows the drawing with a margin, rather than the whole image.
    """

    _target_: str = "retable.papers.emoji.subject.Faces"
    image_size: int = II("data.image_size")
    crop_to_ink: bool = II("data.crop_to_ink")


@dataclass
class EmojiNetworkConfig(NetworkConfig):
    """A network that tells the eight faces apart."""

    subject: FacesConfig = field(default_factory=FacesConfig)


@dataclass
class EmojiEstimatorConfig(EstimatorConfig):
    """A classical model that tells the eight faces apart."""

    subject: FacesConfig = field(default_factory=FacesConfig)


@dataclass
class PaperNetworkConfig(Options):
    """The paper's network.

    Attributes:
        filters: Filters of the convolutions.
        dropout: Part of the values that each dropout leaves out.
    """

    _target_: str = "retable.papers.emoji.networks.cnn.PaperNetwork"
    _partial_: bool = True
    filters: list[int] = option([16, 32, 64, 128], least=1)
    dropout: float = option(0.5, least=0, below=1)


@dataclass
class SmallNetworkConfig(Options):
    """Our own network.

    Attributes:
        widths: Channels of the convolutions.
        dropout: Part of the values that the dropout before the last layer leaves out.
    """

    _target_: str = "retable.papers.emoji.networks.net.SmallNetwork"
    _partial_: bool = True
    widths: list[int] = option([32, 64, 128, 192], least=1)
    dropout: float = option(0.3, least=0, below=1)


SCHEMAS: dict[str, type] = {
    "data/emoji": EmojiConfig,
    "model/emoji_network": EmojiNetworkConfig,
    "model/emoji_estimator": EmojiEstimatorConfig,
    "model/network/paper": PaperNetworkConfig,
    "model/network/small": SmallNetworkConfig,
}
