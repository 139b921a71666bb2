"""Fitted estimators as bytes without pickle: reading them runs no code that they bring.

XGBoost has a format of its own; for scikit-learn it is skops, which builds known types only. Both walk their trees, and
libsvm its vectors, without looking where an index leads. So what is read is looked at here, or a checkpoint of a
stranger would crash the process.
"""

import json
from typing import Any

import numpy as np

from retable.errors import CheckpointError

# skops warns that the node indices in a tree are taken unseen and could point anywhere; `_check_fitted` looks at them
_TREE = "sklearn.tree._tree.Tree"
_NO_PARENT = 2**31 - 1  # of XGBoost's root


def to_bytes(estimator: Any) -> bytes:
    """Writes a fitted estimator."""
    if hasattr(estimator, "get_booster"):
        return bytes(estimator.get_booster().save_raw("json"))
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
    kind = type(estimator).__name__
    read, check = (_booster, _check_booster) if hasattr(estimator, "get_booster") else (_fitted, _check_fitted)
    try:
        found, inside = read(estimator, data)
    except Exception as error:  # zip files, JSON, skops and XGBoost each have their own
        raise CheckpointError(f"the checkpoint holds no fitted {kind} ({str(error).splitlines()[0]})") from error
    if type(found) is not type(estimator):
        raise CheckpointError(f"the checkpoint holds a {type(found).__name__}, not a {kind}")
    try:
        check(inside)
        if found is estimator:
            estimator.load_model(bytearray(data))
        width = int(found.n_features_in_)
        classes = len(found.classes_)
        decide = found.predict_proba if hasattr(found, "predict_proba") else found.decision_function
        scores = np.asarray(decide(np.zeros((1, width), np.float32)))
        _require(scores.size in (classes, 1) and np.isfinite(scores).all(), "its scores")
    except Exception as error:  # whatever a part that is missing or of another kind leads to
        raise CheckpointError(f"the checkpoint holds a damaged {kind} ({str(error).splitlines()[0]})") from error
    return found


def _booster(estimator: Any, data: bytes) -> tuple[Any, Any]:
    """Returns the estimator, yet to be filled, and what the bytes hold."""
    return estimator, json.loads(data)["learner"]


def _fitted(_estimator: Any, data: bytes) -> tuple[Any, Any]:
    """Returns what was stored, twice: it is the estimator, and what is to be looked at."""
    import skops.io

    found = skops.io.loads(data, trusted=[_TREE])
    return found, found


def _require(holds: Any, part: str) -> None:
    if not holds:
        raise ValueError(part)


def _check_tree(left: Any, right: Any, features: Any, width: int, values: Any) -> None:
    """Refuses a tree whose walk could leave its nodes, go round in circles, or look at a feature that is not there."""
    left, right, features, values = (np.asarray(part) for part in (left, right, features, values))
    nodes = len(left)
    _require(nodes and len(right) == len(features) == len(values) == nodes, "its number of nodes")
    inner = left != -1
    children = np.concatenate([left[inner], right[inner]])
    _require((right[~inner] == -1).all(), "its leaves")
    _require(((children > 0) & (children < nodes)).all(), "its children")
    _require(len(np.unique(children)) == len(children), "two ways to one node")  # so that no walk is endless
    _require(((features[inner] >= 0) & (features[inner] < width)).all(), "its features")
    with np.errstate(over="ignore"):
        _require(np.isfinite(values.astype(np.float32)).all(), "its values")


def _check_fitted(estimator: Any) -> None:
    """Looks at the trees of scikit-learn's estimators, and at the vectors of its support vector machines."""
    width = int(estimator.n_features_in_)
    for part in (estimator, *getattr(estimator, "estimators_", ())):
        tree = getattr(part, "tree_", None)
        if tree is not None:
            _require(1 <= tree.node_count <= tree.capacity, "its number of nodes")  # before its arrays are looked at
            _require(tree.n_features == width == part.n_features_in_, "its number of features")
            values = np.column_stack([tree.threshold, tree.value.reshape(tree.node_count, -1)])
            _check_tree(tree.children_left, tree.children_right, tree.feature, width, values)
    if hasattr(estimator, "_n_support"):
        counts, classes, vectors = estimator._n_support, len(estimator.classes_), len(estimator.support_)
        _require(counts.shape == (classes,) and (counts >= 0).all() and counts.sum() == vectors, "its counts")
        _require(estimator.support_vectors_.shape == (vectors, width), "its support vectors")
        _require(estimator._dual_coef_.shape == (classes - 1, vectors), "its coefficients")
        pairs = classes * (classes - 1) // 2
        _require(estimator._intercept_.shape == (pairs,), "its intercepts")
        _require({len(estimator._probA), len(estimator._probB)} <= {0, pairs}, "its probabilities")
        for array in (estimator.support_vectors_, estimator._dual_coef_, estimator._intercept_):
            _require(array.dtype == np.float64 and np.isfinite(array).all(), "its values")


def _check_booster(learner: Any) -> None:
    """Looks at XGBoost's trees before it reads them."""
    shape = learner["learner_model_param"]
    width, groups = int(shape["num_feature"]), max(int(shape["num_class"]), 1)
    _require(groups <= 10_000 and int(shape["num_target"]) <= 1, "its classes")
    base = json.loads(shape["base_score"])
    base = base if isinstance(base, list) else [base]
    _require(len(base) in (1, groups) and all(abs(value) < 1e30 for value in base), "its base score")
    booster = learner["gradient_booster"]
    if booster["name"] == "gblinear":
        weights = np.asarray(booster["model"]["weights"], np.float64)
        _require(weights.shape == ((width + 1) * groups,) and np.isfinite(weights).all(), "its weights")
        return
    if booster["name"] == "dart":
        drops = np.asarray(booster["weight_drop"], np.float64)
        booster = booster["gbtree"]
        _require(len(drops) == len(booster["model"]["trees"]) and np.isfinite(drops).all(), "its weights")
    _require(booster["name"] == "gbtree", "its kind of booster")
    model = booster["model"]
    trees, group_of, starts = model["trees"], model["tree_info"], model["iteration_indptr"]
    _require(int(model["gbtree_model_param"]["num_trees"]) == len(trees) == len(group_of), "its number of trees")
    _require(all(0 <= group < groups for group in group_of), "its classes")
    _require(starts == sorted(starts) and (starts[0], starts[-1]) == (0, len(trees)), "its iterations")
    for number, tree in enumerate(trees):
        sizes = tree["tree_param"]
        left, right, parents = tree["left_children"], tree["right_children"], tree["parents"]
        count = len(left)
        _require(tree["id"] == number and int(sizes["num_nodes"]) == count, "its number of nodes")
        _require(int(sizes["num_feature"]) == width and sizes["size_leaf_vector"] in ("0", "1"), "its features")
        parts = ("base_weights", "default_left", "loss_changes", "parents", "split_type", "sum_hessian")
        _require(all(len(tree[part]) == count for part in parts), "its number of nodes")
        _require(not any(tree["split_type"]) and not tree["categories"] and not tree["categories_nodes"], "its splits")
        _check_tree(left, right, tree["split_indices"], width, tree["split_conditions"])
        _require(
            parents[0] == _NO_PARENT
            and all(
                parents[child] == node for node in range(count) for child in (left[node], right[node]) if child > 0
            ),
            "its parents",
        )
