import numpy as np
import pytest
from scipy.linalg import sqrtm

from retable.errors import DataError
from retable.metrics.fidelity import frechet
from retable.metrics.fidelity.frechet import FeatureMoments, frechet_distance, root_trace


def normal(count: int, features: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.standard_normal((count, features)) @ random.standard_normal((features, features)) + seed


def by_sqrtm(first: np.ndarray, second: np.ndarray) -> float:
    covariances = [np.cov(values, rowvar=False) for values in (first, second)]
    shift = first.mean(axis=0) - second.mean(axis=0)
    return float(
        shift @ shift + sum(map(np.trace, covariances)) - 2 * np.trace(sqrtm(covariances[0] @ covariances[1])).real
    )


def of(first: np.ndarray, second: np.ndarray) -> float:
    return frechet_distance(FeatureMoments(first), FeatureMoments(second))


def test_equals_the_square_root_of_the_general_product():
    first, second = normal(300, 24, 1), normal(200, 24, 2)
    assert of(first, second) == pytest.approx(by_sqrtm(first, second), rel=1e-9)
    assert of(second, first) == pytest.approx(of(first, second), rel=1e-9)


def test_equals_torch_fidelity():
    import torch
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    first, second = normal(300, 24, 1), normal(200, 24, 2)
    statistics = [fid_features_to_statistics(torch.from_numpy(values)) for values in (first, second)]
    published = fid_statistics_to_metric(*statistics, verbose=False)[KEY_METRIC_FID]
    assert of(first, second) == pytest.approx(published, rel=1e-9)


def test_gaussians_of_known_distance():
    # features without correlation: their standard deviations are compared one by one
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], dtype=float)
    first, second = corners * [3, 1], corners * [1, 2] + [5, 0]
    variance = 4 / 3
    expected = 25 + variance * ((3 - 1) ** 2 + (1 - 2) ** 2)
    assert of(first, second) == pytest.approx(expected, rel=1e-12)


def test_distance_to_itself_is_zero():
    values = normal(100, 10, 3)
    assert 0 <= of(values, values) < 1e-8


@pytest.mark.parametrize(("first", "second"), [(5, 7), (5, 60), (60, 5), (21, 60), (20, 20)])
def test_fewer_samples_than_features(first, second):
    """Padding both sets with features that never vary changes no distance; rank deficiency must not either."""
    a, b = normal(first, 20, 1), normal(second, 20, 2)
    factors = [(values - values.mean(axis=0)) / np.sqrt(len(values) - 1) for values in (a, b)]
    nuclear = np.linalg.svd(factors[0] @ factors[1].T, compute_uv=False).sum()
    shift = a.mean(axis=0) - b.mean(axis=0)
    expected = shift @ shift + (factors[0] ** 2).sum() + (factors[1] ** 2).sum() - 2 * nuclear
    assert of(a, b) == pytest.approx(expected, rel=1e-10)
    padded = [np.concatenate((values, np.full((len(values), 30), 4.0)), axis=1) for values in (a, b)]
    assert of(*padded) == pytest.approx(expected, rel=1e-10)


def test_dead_and_copied_features_of_many_samples():
    a, b = normal(200, 8, 1), normal(200, 8, 2)
    expected = of(a, b)
    with_dead = [np.concatenate((values, np.zeros((200, 4))), axis=1) for values in (a, b)]
    assert of(*with_dead) == pytest.approx(expected, rel=1e-9)
    copied = [np.concatenate((values, values), axis=1) for values in (a, b)]
    assert of(*copied) == pytest.approx(2 * expected, rel=1e-9)


def test_variances_over_many_orders_of_magnitude():
    random = np.random.default_rng(0)
    rotation = np.linalg.qr(random.standard_normal((30, 30)))[0]
    scale = 10.0 ** np.linspace(0, -9, 30)
    first, second = (FeatureMoments(random.standard_normal((400, 30)) * scale @ rotation) for _ in range(2))
    sure = frechet._root_trace_by_singular_values(first.factor, second.factor)
    assert root_trace(first, second) == pytest.approx(sure, rel=1e-6)


def test_errors_that_matter_are_left_to_singular_values():
    def moments(*variances: float) -> FeatureMoments:
        half = np.diag(np.sqrt(np.array(variances) * (2 * len(variances) - 1) / 2))
        return FeatureMoments(np.concatenate((half, -half)))

    tiny = moments(1.0, *[1e-17] * 50)
    assert not tiny.deficient
    assert frechet._root_trace_by_eigenvalues(tiny.covariance, tiny.covariance) is None
    assert root_trace(tiny, tiny) == pytest.approx(1.0, rel=1e-6)
    assert root_trace(moments(0, 0, 0), moments(1, 1, 1)) == 0


def test_too_few_samples():
    with pytest.raises(DataError, match="1 samples: a covariance needs 2 or more"):
        FeatureMoments(np.ones((1, 4)), "samples")


def test_features_that_are_not_finite():
    values = np.ones((4, 3))
    values[2, 1] = np.nan
    with pytest.raises(DataError, match="1 of 4 images are not finite"):
        FeatureMoments(values)


def test_different_features():
    with pytest.raises(DataError, match="3 and 4 features"):
        of(np.ones((4, 3)), np.ones((4, 4)))
