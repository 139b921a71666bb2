"""Uses what a run trained: on your own images, or, of a generator, for new ones.

python predict.py run=outputs/runs/... input=photo.jpg output=found
python predict.py run=outputs/runs/... input=photos/ output=found score_threshold=0.4
python predict.py run=outputs/runs/... n=64 seed=1 output=samples     a generator's samples, a grid, walks between them

Beside the keys listed below, each kind of model has options of its own: detectors input and score_threshold,
classifiers input, generators n, seed and interpolation_steps.
"""

import re
from collections.abc import Sequence
from dataclasses import fields

from omegaconf import DictConfig

from retable.run import command_line
from retable.run.schema import PredictConfig


def main() -> None:
    """Runs ``predict.py``."""
    command_line.main(_predict, "predict", __doc__, words=words)


def words(arguments: Sequence[str]) -> list[str]:
    """Returns the words in Hydra's grammar: those of keys that `PredictConfig` lacks are options of the model."""
    own = {part.name for part in fields(PredictConfig)}
    found = []
    for word in arguments:
        key = re.match(r"(\w+)[\w.]*=", word)
        found.append(word if key is None or key[1] in own or word.startswith("hydra") else f"+options.{word}")
    return found


def _predict(config: DictConfig) -> None:
    from retable.run.predict import predict  # torch is imported only once the configuration is known to be sound

    predict(config)


if __name__ == "__main__":
    main()
