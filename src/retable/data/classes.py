"""Classes of data that a model was not trained on: which of its own they are."""

from collections.abc import Sequence

from retable.errors import ConfigError


def match_classes(known: Sequence[str], shown: Sequence[str]) -> tuple[list[int], str]:
    """Finds the classes of a dataset among those of a model, by name; one that is left over on both sides is paired.

    Args:
        known: Names of the model's labels 0, 1, and so on.
        shown: Names of the dataset's.

    Returns:
        For each label of the dataset that of the model, and what to tell of the difference, "" where there is none.

    Raises:
        ConfigError: The dataset shows what the model does not know.
    """
    strange = [name for name in shown if name not in known]
    absent = [name for name in known if name not in shown]
    if not shown or (strange and not len(strange) == len(absent) == 1):
        raise ConfigError(
            f"data: the model tells {', '.join(known)} apart, the data show {', '.join(shown) or 'no classes'}; "
            "use data of the model's classes, under their names"
        )
    names = [absent[0] if name in strange else name for name in shown]
    told = ""
    if strange:
        told = f"{strange[0]} of the data is taken for the model's {absent[0]}"
    elif absent:
        told = f"the data have no {', '.join(absent)}"
    elif names != list(known):
        told = f"the data count the classes in another order, {', '.join(shown)}"
    return [list(known).index(name) for name in names], told
