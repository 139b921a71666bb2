"""Results of images give the metrics of a test again, of each image once and of any multiset of them."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.metrics.test_detection import random_images

from retable.errors import DataError
from retable.metrics.detection import DetectionAveragePrecision
from retable.metrics.image_results import load, save
from retable.metrics.image_results.classifications import ClassificationResults
from retable.metrics.image_results.detections import DetectionResults
from retable.metrics.image_results.resampling import draw

IMAGES = 12


def detections(classes: int, seed: int = 3) -> tuple[DetectionAveragePrecision, Any]:
    metric = DetectionAveragePrecision(num_classes=classes)
    predictions, targets, _ = random_images(IMAGES, seed, classes)
    generator = torch.Generator().manual_seed(seed)
    for prediction in predictions:  # no two alike, whose order copies of an image would change
        prediction["scores"] = torch.rand(len(prediction["scores"]), generator=generator)
    metric.update(predictions, targets, range(IMAGES))
    return metric, (predictions, targets)


@pytest.mark.parametrize("classes", [1, 3])
def test_average_precisions_over_draws_are_those_of_copied_images(classes: int) -> None:
    metric, (predictions, targets) = detections(classes)
    values, results = metric.compute(), metric.image_results()
    counts = draw(IMAGES, 300, "key")
    resampled = {name: results.resampled(name, counts) for name in values}
    for name, value in values.items():
        assert np.float32(resampled[name][0]) == value.numpy()  # type: ignore[index]  # the record's, exactly
    for index in range(1, 6):
        drawn = np.repeat(np.arange(IMAGES), counts[:, index])
        copies = DetectionAveragePrecision(num_classes=classes)
        copies.update([predictions[i] for i in drawn], [targets[i] for i in drawn], range(IMAGES))
        for name, value in copies.compute().items():
            assert resampled[name][index] == pytest.approx(float(value), abs=1e-6, nan_ok=True)  # type: ignore[index]
    assert results.resampled("loss", counts) is results.resampled("ap75_class0", counts) is None
    assert results.resampled(f"ap50_voc07_class{classes}", counts) is None


def test_average_precisions_of_the_extremes() -> None:
    metric = DetectionAveragePrecision(num_classes=2)
    boxes = torch.tensor([[50.0, 50, 30, 8, 0.3]])
    zero, one = torch.zeros(1, dtype=torch.int64), torch.ones(1)
    found = {"boxes": boxes, "scores": one, "labels": zero}
    none = {"boxes": boxes[:0], "scores": one[:0], "labels": zero[:0]}
    metric.update(
        [found, none, found], [{"boxes": boxes, "labels": zero}, {"boxes": boxes, "labels": zero}, none], range(3)
    )
    results = metric.image_results()
    counts = np.array([[1, 1, 1], [2, 0, 1], [0, 1, 0], [0, 0, 3]], np.uint8).T
    expected = [0.5, 1.0, 0.0, np.nan]
    np.testing.assert_allclose(results.resampled("recall50", counts), expected)
    np.testing.assert_allclose(results.resampled("ap50_95", counts), expected)
    np.testing.assert_allclose(results.resampled("ap50_voc07", counts), [6 / 11, 1.0, 0.0, np.nan])
    assert np.isnan(results.resampled("ap50_voc12_class1", counts)).all()


def test_what_no_metric_depends_on_is_left_out() -> None:
    metric, (predictions, _) = detections(1)
    results = metric.image_results()
    assert 0 < len(results.label) < sum(len(prediction["boxes"]) for prediction in predictions)
    assert results.hits[-1]
    assert detections(1)[0].image_results().predictions == results.predictions
    other = detections(1, seed=4)[0].image_results()
    assert other.predictions != results.predictions
    assert other.tested != results.tested


def test_scores_over_draws_are_those_of_copied_images() -> None:
    rng = np.random.default_rng(0)
    true = np.repeat(np.arange(4), IMAGES // 4)
    recognised = np.where(rng.random(IMAGES) < 0.5, true, rng.integers(0, 4, IMAGES))
    names = np.array(["a", "b", "c", "d", "never"])
    results = ClassificationResults(true, recognised, names, "x", "y")
    counts = draw(IMAGES, 1500, "key")
    for index in (0, 1, 1400):
        drawn = np.repeat(np.arange(IMAGES), counts[:, index])
        expected = ClassificationResults(true[drawn], recognised[drawn], names, "x", "y").metrics()
        for name, value in expected.items():
            resampled = results.resampled(name, counts)
            assert resampled is not None
            np.testing.assert_equal(resampled[index], value)
    assert results.resampled("loss", counts) is None


@pytest.mark.parametrize("count", [5, 600])
def test_draws_are_multinomial_the_same_for_a_key_and_begin_with_each_image_once(count: int) -> None:
    counts = draw(count, 1000, "key")
    assert (counts[:, 0] == 1).all()
    assert (counts.sum(axis=0, dtype=np.int64) == count).all()
    assert counts[:, 1:].var() == pytest.approx(1 - 1 / count, rel=0.05)
    assert (draw(count, 1000, "key") == counts).all()
    assert (draw(count, 1000, "other") != counts).any()


def test_they_survive_a_file(tmp_path: Path) -> None:
    results = detections(3)[0].image_results()
    save(tmp_path / "images.npz", results)
    found = load(tmp_path / "images.npz")
    assert isinstance(found, DetectionResults)
    assert found.metrics() == results.metrics()
    assert (found.predictions, found.tested) == (results.predictions, results.tested)
    assert (found.outcomes() == results.outcomes()).all()
    classified = ClassificationResults(np.array([0, 1]), np.array([1, 1]), np.array(["a", "b"]), "x", "y")
    save(tmp_path / "images.npz", classified)
    assert load(tmp_path / "images.npz").metrics() == classified.metrics()
    assert [path.name for path in tmp_path.iterdir()] == ["images.npz"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"\x93NUMPY"])
def test_damaged_files_are_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "images.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"images\.npz: no results of images"):
        load(tmp_path / "images.npz")


@pytest.mark.slow
def test_nothing_of_it_imports_torch() -> None:
    code = "import sys, retable.metrics.image_results.resampling.kernels; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
