"""What may be set of the drawings: ``conf/data/emoji.yaml``."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class TrainOn(StrEnum):
    """What is learnt from."""

    generated = "generated"
    real = "real"
    both = "both"


class TestOn(StrEnum):
    """What is tested on."""

    __test__ = False  # not a test class, whatever pytest makes of its name

    generated = "generated"
    real = "real"


@dataclass
class Fractions:
    """Relative sizes of the splits."""

    train: float = 0.6
    val: float = 0.2
    test: float = 0.2


@dataclass
class AugmentConfig:
    """Training augmentation, see `retable.papers.emoji.transforms.Augmentation`."""

    enabled: bool = False
    horizontal_flip: float = 0.5
    rotation_degrees: float = 15.0
    scale: tuple[float, float] = (0.8, 1.1)
    shift: float = 0.08
    shear: float = 0.15
    wobble: float = 0.02
    thinner: float = 0.4
    thicker: float = 0.8
    brightness: float = 0.1
    contrast: float = 0.3
    colour: float = 0.1
    shade: float = 0.1
    invert: float = 0.0
    blur: float = 0.3
    noise: float = 0.04
    erase: float = 0.2


@dataclass
class EmojiConfig:
    """Drawings of the eight emoji: generated ones, real ones from files, or both.

    Attributes:
        root: Folder of real drawings: one folder a class, or labels.csv; null takes the generator.
        train_on: What is learnt from; null is real where there is a root, else generated.
        test_on: What is tested on; null is real where there is a root, else generated.
        drawings: Generator, called with count, size, seed and split.
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

    _target_: str = "retable.papers.emoji.data_module.EmojiDataModule"
    root: str | None = None
    train_on: TrainOn | None = None
    test_on: TestOn | None = None
    drawings: Any = None
    per_class: int = 500
    drawings_seed: int = 0
    fractions: Fractions = field(default_factory=Fractions)
    split_seed: int = 0
    train_hands: list[str] | None = None
    val_hands: list[str] | None = None
    test_hands: list[str] | None = None
    image_size: int = 64
    crop_to_ink: bool = True
    batch_size: int = 32
    eval_batch_size: int = 100
    workers: int | None = None
    cache_megabytes: int = 1024
    augment: AugmentConfig = field(default_factory=AugmentConfig)


SCHEMAS: dict[str, Any] = {"data/emoji": EmojiConfig}
