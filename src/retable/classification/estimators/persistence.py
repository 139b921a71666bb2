"""Fitted estimators as bytes without pickle: reading them runs no code that they bring.

XGBoost has a format of its own; for scikit-learn it is skops, which builds known types only.
"""

from typing import Any

import numpy as np

from retable.errors import CheckpointError

# skops warns that the node indices in a tree are taken unseen and could point anywhere; `_check_trees` looks at them
_TREE = "sklearn.tree._tree.Tree"


def to_bytes(estimator: Any) -> bytes:
    """Writes a fitted estimator."""
    if hasattr(estimator, "get_booster"):
        return bytes(estimator.get_booster().save_raw("ubj"))
    import skops.io

    return bytes(skops.io.dumps(estimator))


def from_bytes(estimator: Any, data: bytes) -> Any:
    """Reads a fitted estimator.

    Args:
        estimator: A new one of the same kind.
        data: What `to_bytes` returned.

    Raises:
        CheckpointError: It is damaged, of another kind, or holds types that are none of scikit-learn's.
    """
    import skops.io

    kind = type(estimator).__name__
    try:
        if hasattr(estimator, "get_booster"):
            estimator.load_model(bytearray(data))
            return estimator
        found = skops.io.loads(data, trusted=[_TREE])
    except Exception as error:  # XGBoost, zip files, JSON and skops each have their own, and TypeError
        raise CheckpointError(f"the checkpoint holds no fitted {kind} ({str(error).splitlines()[0]})") from error
    if type(found) is not type(estimator):
        raise CheckpointError(f"the checkpoint holds a {type(found).__name__}, not a {kind}")
    _check_trees(found)
    return found


def _check_trees(estimator: Any) -> None:
    for part in (estimator, *getattr(estimator, "estimators_", ())):
        tree = getattr(part, "tree_", None)
        if tree is None:
            continue
        inner = tree.children_left >= 0
        after = np.arange(tree.node_count)[inner]
        below = [tree.children_left[inner], tree.children_right[inner]]
        # children come after their parents, so that no walk goes round in circles
        if (
            not all(((child > after) & (child < tree.node_count)).all() for child in below)
            or not ((tree.feature[inner] >= 0) & (tree.feature[inner] < tree.n_features)).all()
        ):
            raise CheckpointError("the checkpoint holds a damaged decision tree")
