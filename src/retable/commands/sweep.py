"""Searches hyperparameters: each trial is a run of train.py, and Optuna chooses the values that it tries.

python sweep.py model=larsd data=hrsd space.model.lr="log(1e-4,1e-1)" n_trials=30
python sweep.py ... n_trials=50                           the same search again: adds only the missing trials
python sweep.py ... space.model.lasa="choice(none,diamond-9)" space.trainer.max_epochs="int(4,12,4)"
python sweep.py ... engine.workers=2                      several trials at once; also engine=slurm, engine=ray
python sweep.py ... pruning=false                         hopeless trials run to their end as well
python sweep.py ... metric=val/ap75 direction=higher      instead of what the model watches itself

space.KEY="..." takes log(a,b), uniform(a,b), int(a,b), int(a,b,step), choice(a,b,c). The keys listed below are those of
sweep.py; all other words are overrides of train.py and hold for every trial. Trials are compared by their best
validation value, never by the test. Everything is in outputs/sweeps/NAME; interrupted, the same command goes on.
"""

from collections.abc import Sequence

from retable.run import command_line
from retable.search.request import divide
from retable.search.sweep import sweep


def main() -> None:
    """Runs ``sweep.py``."""
    given: list[str] = []

    def words(arguments: Sequence[str]) -> list[str]:
        given.extend(arguments)
        return list(divide(arguments).own) if arguments else ["--help"]

    command_line.main(lambda config: sweep(config, words=divide(given)), "sweep", __doc__, words=words)


if __name__ == "__main__":
    main()
