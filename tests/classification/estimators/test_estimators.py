"""Classical models: features, fitting once, and the way into a checkpoint and back."""

import contextlib
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning.callbacks import EMAWeightAveraging
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from tests import fuzz
from tests.classification import tiny
from xgboost import XGBClassifier

from retable.classification.estimators.features import OrientedGradients, Pixels
from retable.classification.estimators.lightning_model import EstimatorClassifier
from retable.classification.estimators.network import EstimatorNetwork
from retable.classification.estimators.persistence import from_bytes, to_bytes
from retable.classification.schema import EstimatorConfig, OrientedGradientsConfig
from retable.errors import CheckpointError, ConfigError
from retable.run.checkpoints import load_into

pytestmark = [
    pytest.mark.slow,  # it trains
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
    pytest.mark.filterwarnings("ignore:The number of training batches.*"),
]

ESTIMATORS = {
    "svm": lambda: SVC(break_ties=True),
    "random_forest": lambda: RandomForestClassifier(5, random_state=0),
    "adaboost": lambda: AdaBoostClassifier(n_estimators=3, random_state=0),
    "decision_tree": lambda: DecisionTreeClassifier(random_state=0),
    "xgboost": lambda: XGBClassifier(n_estimators=2, n_jobs=1),
}


def samples(labels: tuple[int, ...] = tuple(range(8))) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    classes = np.resize(labels, 64)
    features = generator.normal(0, 0.3, (64, 12)).astype(np.float32)
    features[np.arange(64), classes] += 3
    return features, classes.astype(np.int64)


def test_pixels_are_grey_values() -> None:
    images = torch.rand(2, 3, 8, 8)
    found = Pixels()(images)
    assert found.shape == (2, 64)
    assert found.dtype == np.float32
    weights = torch.tensor([0.299, 0.587, 0.114])
    assert found[1, 9] == pytest.approx(float((images[1, :, 1, 1] * weights).sum()))


def test_gradients_have_the_published_layout() -> None:
    images = torch.ones(2, 3, 32, 32)
    images[1, :, :, 16:] = 0  # an upright edge
    found = OrientedGradients(OrientedGradientsConfig(cell=8, bins=9))(images)
    assert found.shape == (2, 3 * 3 * 4 * 9)
    assert not found[0].any()
    assert found[1].any()
    with pytest.raises(ConfigError, match=r"model\.input_size=30: must be a multiple of model\.features\.cell, 8"):
        OrientedGradients(OrientedGradientsConfig())(torch.ones(1, 3, 30, 30))
    with pytest.raises(ConfigError, match="cell=1: must be 2 or more"):
        OrientedGradientsConfig(cell=1)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_fitted_estimator_goes_through_a_state_dict(name: str) -> None:
    network = EstimatorNetwork(ESTIMATORS[name](), Pixels(), 8)
    features, labels = samples()
    network.fit(features, labels)
    expected = network.classify(features)
    assert (expected.argmax(dim=1).numpy() == network.seen.numpy()[network.estimator.predict(features)]).all()
    assert torch.allclose(expected.exp().sum(dim=1), torch.ones(64), atol=1e-4)
    buffer = io.BytesIO()
    torch.save(network.state_dict(), buffer)
    buffer.seek(0)
    other = EstimatorNetwork(ESTIMATORS[name](), Pixels(), 8)
    other.load_state_dict(torch.load(buffer, weights_only=True))
    assert torch.equal(other.classify(features), expected)
    assert not list(network.parameters())


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("labels", [(1, 4, 6), (3, 7)])
def test_classes_that_were_not_drawn_are_improbable(name: str, labels: tuple[int, ...]) -> None:
    network = EstimatorNetwork(ESTIMATORS[name](), Pixels(), 8)
    features, classes = samples(labels)
    network.fit(features, classes)
    found = network.classify(features)
    assert set(found.argmax(dim=1).tolist()) <= set(labels)
    assert found.shape == (64, 8)
    assert float(found[:, [0, 2, 5]].exp().max()) < 1e-5


def test_an_estimator_of_a_module_on_a_gpu_classifies_on_the_cpu() -> None:
    class OnDevice:
        """As a buffer that has moved with its module: it cannot index what is on the CPU."""

        def cpu(self) -> torch.Tensor:
            return seen

    network = EstimatorNetwork(ESTIMATORS["decision_tree"](), Pixels(), 8)
    features, labels = samples()
    network.fit(features, labels)
    expected, seen = network.classify(features), network.seen
    del network.seen
    network.seen = OnDevice()
    assert torch.equal(network.classify(features), expected)


def test_before_the_fit_all_classes_are_alike() -> None:
    found = EstimatorNetwork(SVC(), Pixels(), 8)(torch.rand(2, 3, 8, 8))
    assert torch.allclose(found.exp(), torch.full((2, 8), 1 / 8))


def test_damaged_and_foreign_bytes_are_refused() -> None:
    features, labels = samples()
    forest = to_bytes(RandomForestClassifier(2, random_state=0).fit(features, labels))
    with pytest.raises(CheckpointError, match="holds no fitted RandomForestClassifier"):
        from_bytes(RandomForestClassifier(), forest[: len(forest) // 2])
    with pytest.raises(CheckpointError, match="holds a RandomForestClassifier, not a SVC"):
        from_bytes(SVC(), forest)
    with pytest.raises(CheckpointError, match="holds no fitted XGBClassifier"):
        from_bytes(XGBClassifier(), forest)


def test_types_that_are_not_scikit_learns_are_refused() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(
            "schema.json",
            '{"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "__id__": 1, '
            '"content": {"module_path": "os", "function": "system"}, "protocol": 2, "_skops_version": "0.13"}',
        )
    with pytest.raises(CheckpointError, match="holds no fitted SVC"):
        from_bytes(SVC(), data.getvalue())


@pytest.mark.parametrize(
    ("field", "value"),
    [("left_child", 10_000), ("left_child", -(10**9)), ("left_child", 0), ("right_child", -2), ("right_child", 1),
     ("feature", 10**8), ("feature", -1), ("threshold", np.nan)],
)  # fmt: skip
@pytest.mark.parametrize("name", ["decision_tree", "random_forest", "adaboost"])
def test_a_tree_that_would_lead_astray_is_refused(name: str, field: str, value: float) -> None:
    features, labels = samples()
    estimator = ESTIMATORS[name]().fit(features, labels)
    tree = getattr(estimator, "estimators_", [estimator])[-1].tree_
    state = tree.__getstate__()
    state["nodes"][field][0] = value
    tree.__setstate__(state)
    with pytest.raises(CheckpointError, match=f"holds a damaged {type(estimator).__name__}"):
        from_bytes(ESTIMATORS[name](), to_bytes(estimator))


def _set(tree: Any, path: list[Any], value: Any) -> None:
    for key in path[:-1]:
        tree = tree[key]
    tree[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["trees", 0, "left_children", 0], 1_000_000),
        (["trees", 0, "left_children", 0], -(10**9)),
        (["trees", 0, "right_children", 0], 0),
        (["trees", 0, "split_indices", 0], 10**8),
        (["trees", 0, "split_conditions", 0], float("nan")),
        (["trees", 0, "parents", 1], 2),
        (["trees", 0, "default_left"], []),
        (["trees", 0, "tree_param", "num_nodes"], "1000"),
        (["tree_info", 0], 1_000_000),
        (["iteration_indptr", 1], 1_000_000),
        (["trees", 0], None),
    ],
)
def test_a_booster_that_would_lead_astray_is_refused(path: list[Any], value: Any) -> None:
    stored = json.loads(to_bytes(ESTIMATORS["xgboost"]().fit(*samples())))
    _set(stored["learner"]["gradient_booster"]["model"], path, value)
    with pytest.raises(CheckpointError, match="holds a damaged XGBClassifier"):
        from_bytes(ESTIMATORS["xgboost"](), json.dumps(stored).encode())


@fuzz.mark
def test_an_altered_booster_is_refused_or_does_no_harm() -> None:
    features, labels = samples()
    stored = to_bytes(ESTIMATORS["xgboost"]().fit(features, labels))
    for seed in range(fuzz.cases(40)):
        data = json.dumps(fuzz.altered(random.Random(seed), json.loads(stored))).encode()
        with contextlib.suppress(CheckpointError):
            assert np.isfinite(from_bytes(ESTIMATORS["xgboost"](), data).predict_proba(100 * features)).all()


def test_vectors_that_are_not_there_are_refused() -> None:
    estimator = SVC(break_ties=True).fit(*samples())
    estimator._n_support = estimator._n_support * 1000
    with pytest.raises(CheckpointError, match=r"holds a damaged SVC \(its counts\)"):
        from_bytes(SVC(), to_bytes(estimator))


def model(**changes: Any) -> EstimatorClassifier:
    keys: dict[str, Any] = {
        "subject": tiny.StripesSubject(), "estimator": ESTIMATORS["random_forest"](), "features": Pixels(),
        "input_size": 16,
    }  # fmt: skip
    return EstimatorClassifier(EstimatorConfig(**{**keys, **changes}))


def test_it_fits_once_and_is_tested_and_resumed(tmp_path: Path) -> None:
    first, run, data = model(), tiny.trainer(tmp_path), tiny.StripesData(count=56, batch_size=10)
    run.fit(first, datamodule=data)
    assert run.current_epoch == 1
    assert first.network.estimator.n_features_in_ == 16 * 16
    assert run.callback_metrics["val/accuracy"] > 0.9
    run.test(first, datamodule=data, verbose=False)
    tested = run.callback_metrics["test/accuracy"]
    assert tested > 0.9
    run.save_checkpoint(tmp_path / "last.ckpt")

    again = model()
    load_into(again, tmp_path / "last.ckpt")
    run = tiny.trainer(tmp_path)
    run.test(again, datamodule=data, verbose=False)
    assert run.callback_metrics["test/accuracy"] == tested
    assert again.image_results().metrics()["accuracy"] == pytest.approx(float(tested))
    assert again.image_results().predictions == first.image_results().predictions

    resumed = model(estimator=RandomForestClassifier(5, random_state=1))
    run = tiny.trainer(tmp_path)
    run.fit(resumed, datamodule=data, ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    assert torch.equal(resumed.network.fitted, first.network.fitted)  # not fitted again


def test_the_order_of_the_epoch_does_not_matter(tmp_path: Path) -> None:
    images = torch.rand(20, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    found = []
    for seed, batch_size in ((1, 10), (2, 7)):
        one = model()
        tiny.trainer(tmp_path).fit(one, datamodule=tiny.StripesData(seed=seed, batch_size=batch_size))
        found.append(one.network(images))
    assert torch.equal(*found)


def test_a_checkpoint_of_another_estimator_is_refused(tmp_path: Path) -> None:
    one, run = model(), tiny.trainer(tmp_path)
    run.fit(one, datamodule=tiny.StripesData())
    run.save_checkpoint(tmp_path / "last.ckpt")
    with pytest.raises(CheckpointError, match="holds a RandomForestClassifier, not a DecisionTreeClassifier"):
        load_into(model(estimator=DecisionTreeClassifier()), tmp_path / "last.ckpt")


def test_several_processes_are_refused() -> None:
    one = model()
    one.trainer = type("Two", (), {"world_size": 2, "datamodule": tiny.StripesData()})()  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="a RandomForestClassifier fits once, on all data"):
        one.setup("fit")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"gradient_clip_val": 1.0},
            r"trainer\.gradient_clip_val=1\.0: a RandomForestClassifier has no gradients to clip",
        ),
        (
            {"accumulate_grad_batches": 2},
            r"trainer\.accumulate_grad_batches=2: a RandomForestClassifier has no gradients",
        ),
        ({"callbacks": [EMAWeightAveraging()]}, r"callbacks=ema: a RandomForestClassifier has no weights to average"),
    ],
)
def test_what_belongs_to_gradients_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        tiny.trainer(tmp_path, **changes).fit(model(), datamodule=tiny.StripesData())


@pytest.mark.parametrize(
    "estimator", [DecisionTreeClassifier(max_depth=-3), XGBClassifier(max_depth=-3, n_estimators=2), SVC(kernel="rbv")]
)
def test_values_that_an_estimator_refuses_are_told(estimator: Any) -> None:
    with pytest.raises(ConfigError, match=r"^model\.estimator: .*(max_depth|kernel).*$") as caught:
        EstimatorNetwork(estimator, Pixels(), 8).fit(*samples())
    assert "\n" not in str(caught.value)


def test_a_support_vector_machine_has_no_probabilities_of_its_own() -> None:
    assert model(estimator=SVC()).probability_kind.startswith("softmax of decision values")
    assert model().probability_kind == "the classifier's own probabilities, not calibrated"


@pytest.mark.parametrize(
    ("across", "expected"), [(True, [0.5, 0, 0, 0, 0, 0, 0, 0, 0.5]), (False, [0, 0, 0, 0, 1, 0, 0, 0, 0])]
)
def test_edges_land_in_the_bins_of_their_gradients(across: bool, expected: list[float]) -> None:
    # an upright edge has a gradient of 0 degrees, between the last and the first of nine bins; a level one of 90, in
    # the middle of the fifth
    ramp = torch.linspace(0, 1, 16).expand(16, 16)
    images = (ramp if across else ramp.T).expand(1, 3, 16, 16)
    bins = OrientedGradients(OrientedGradientsConfig(cell=8, bins=9))(images).reshape(9, 4).sum(axis=1)
    assert (bins / bins.sum()).tolist() == pytest.approx(expected, abs=1e-5)
