import math

import pytest
import torch
from sklearn.metrics import classification_report

from retable.classification.metrics import metric_info, scores
from retable.classification.subject import ClassList

NAMES = tuple(f"class_{letter}" for letter in "abcdefgh")
CLASSES = ClassList(NAMES, parts={"half": "aaaabbbb", "place": "abcdabcd"})


def matrix(pairs: list[tuple[int, int]]) -> torch.Tensor:
    found = torch.zeros(8, 8, dtype=torch.int64)
    for true, predicted in pairs:
        found[true, predicted] += 1
    return found


def test_scores_are_those_of_scikit_learn() -> None:
    generator = torch.Generator().manual_seed(0)
    true = torch.randint(8, (300,), generator=generator).tolist()
    predicted = [t if r < 0.6 else p for t, p, r in zip(
        true, torch.randint(8, (300,), generator=generator).tolist(), torch.rand(300, generator=generator).tolist(),
        strict=True,
    )]  # fmt: skip
    found = scores(matrix(list(zip(true, predicted, strict=True))), CLASSES)
    report = classification_report(true, predicted, target_names=NAMES, output_dict=True)
    assert float(found["accuracy"]) == pytest.approx(report["accuracy"])
    for ours, theirs in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
        assert float(found[ours]) == pytest.approx(report["macro avg"][theirs])
        for name in NAMES:
            assert float(found[f"{ours}_{name}"]) == pytest.approx(report[name][theirs])
    assert set(found) | {"loss"} == set(metric_info(CLASSES))


def test_classes_that_no_image_shows_do_not_count() -> None:
    found = scores(matrix([(0, 0), (0, 0), (3, 3), (3, 5)]), CLASSES)  # no image shows class 5, f
    assert float(found["accuracy"]) == 0.75
    assert float(found["recall"]) == 0.75
    assert float(found["precision"]) == 1.0
    assert float(found["precision_class_f"]) == 0
    assert math.isnan(found["recall_class_f"])
    assert math.isnan(found["f1_class_c"])
    assert float(found["f1_class_d"]) == pytest.approx(2 / 3)


def test_a_class_that_is_never_recognised_has_precision_zero() -> None:
    found = scores(matrix([(1, 0), (0, 0)]), CLASSES)
    assert float(found["precision_class_b"]) == 0
    assert float(found["precision"]) == 0.25


def test_a_part_of_the_class_is_right_where_the_class_taken_has_it_too() -> None:
    found = scores(matrix([(0, 0), (0, 1), (0, 4), (0, 5), (7, 7)]), CLASSES)
    assert float(found["accuracy"]) == pytest.approx(2 / 5)
    assert float(found["accuracy_half"]) == pytest.approx(3 / 5)
    assert float(found["accuracy_place"]) == pytest.approx(3 / 5)
