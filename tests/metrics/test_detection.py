import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import torch
import torch.multiprocessing as multiprocessing
from torch import Tensor

from retable.errors import DataError, DivergenceError
from retable.metrics.detection import DetectionAveragePrecision

Sample = dict[str, Tensor]


# A slow, plain evaluation from the definition, one class and one threshold at a time.


def polygon(box: Tensor) -> shapely.Polygon:
    if len(box) == 4:
        return shapely.box(*box.tolist())
    cx, cy, w, h, angle = box.double().tolist()
    cosine, sine = math.cos(angle), math.sin(angle)
    corners = [(w / 2, h / 2), (-w / 2, h / 2), (-w / 2, -h / 2), (w / 2, -h / 2)]
    return shapely.Polygon([(cx + x * cosine - y * sine, cy + x * sine + y * cosine) for x, y in corners])


def plain_iou(box: Tensor, other: Tensor) -> float:
    one, two = polygon(box), polygon(other)
    return one.intersection(two).area / one.union(two).area


def plain_evaluation(
    predictions: list[Sample], targets: list[Sample], ids: list[int], label: int, threshold: float
) -> tuple[float, float, float]:
    detections = []
    objects: dict[int, list[dict[str, Any]]] = {}
    for prediction, target, image in zip(predictions, targets, ids, strict=True):
        for index in range(len(prediction["boxes"])):
            if prediction["labels"][index] == label:
                score = prediction["scores"][index].item()
                detections.append((-score, image, index, prediction["boxes"][index]))
        objects[image] = [
            {"box": box, "difficult": bool(hard), "found": False}
            for box, hard, kind in zip(target["boxes"], target["difficult"], target["labels"], strict=True)
            if kind == label
        ]
    positives = sum(not thing["difficult"] for things in objects.values() for thing in things)
    hits, total, points = 0, 0, []
    for _, image, _, box in sorted(detections, key=lambda entry: entry[:3]):
        ious = [plain_iou(box, thing["box"]) for thing in objects[image]]
        best = max(range(len(ious)), key=ious.__getitem__, default=None)
        if best is not None and ious[best] >= threshold:
            thing = objects[image][best]
            if thing["difficult"]:
                continue
            if not thing["found"]:
                thing["found"] = True
                hits += 1
        total += 1
        points.append((hits, hits / total))

    def precision_from(recall_hits: float) -> float:
        return max((precision for found, precision in points if found >= recall_hits), default=0.0)

    voc07 = sum(precision_from(tenth * positives / 10) for tenth in range(11)) / 11
    voc12 = sum(precision_from(found) for found in range(1, positives + 1)) / positives
    return voc07, voc12, hits / positives


def random_images(
    count: int, seed: int, classes: int = 1, rotated: bool = True
) -> tuple[list[Sample], list[Sample], list[int]]:
    generator = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=generator)

    predictions, targets = [], []
    for _ in range(count):
        m = int(torch.randint(0, 7, (), generator=generator))
        sizes = torch.stack([uniform(20, 60, m), uniform(8, 20, m)], 1)
        truths = torch.cat([uniform(0, 120, m, 2), sizes, uniform(-1.5, 1.5, m, 1)], 1)
        truth_labels = torch.randint(0, classes, (m,), generator=generator)
        # Detections: the truths, disturbed by little and by much, some twice, and false alarms.
        copies = truths.repeat(3, 1)
        noise = torch.randn(copies.shape, generator=generator) * torch.tensor([3.0, 3.0, 3.0, 1.0, 0.1])
        noise[:m] *= 0.1
        alarm_sizes = torch.stack([uniform(20, 60, 4), uniform(8, 20, 4)], 1)
        alarms = torch.cat([uniform(0, 120, 4, 2), alarm_sizes, uniform(-1, 1, 4, 1)], 1)
        boxes = torch.cat([copies + noise, alarms])
        labels = torch.cat([truth_labels.repeat(3), torch.randint(0, classes, (4,), generator=generator)])
        # Two decimals: many scores are equal.
        scores = (uniform(0, 1, len(boxes)) * 20).round() / 20
        shuffled = torch.randperm(len(boxes), generator=generator)
        if not rotated:
            truths, boxes = (
                torch.cat([b[:, :2] - b[:, 2:4] / 2, b[:, :2] + b[:, 2:4] / 2], 1) for b in (truths, boxes)
            )
        predictions.append({"boxes": boxes[shuffled], "scores": scores[shuffled], "labels": labels[shuffled]})
        targets.append({"boxes": truths, "labels": truth_labels, "difficult": torch.rand(m, generator=generator) < 0.2})
    ids = (torch.randperm(1000, generator=generator)[:count] - 100).tolist()
    return predictions, targets, ids


def evaluate(predictions: list[Sample], targets: list[Sample], ids: list[int], **options: Any) -> dict[str, float]:
    metric = DetectionAveragePrecision(**options)
    metric.update(predictions, targets, ids)
    return {name: value.item() for name, value in metric.compute().items()}


@pytest.mark.parametrize("rotated", [True, False])
@pytest.mark.parametrize("classes", [1, 3])
def test_agrees_with_a_plain_evaluation(classes: int, rotated: bool):
    images = random_images(12, seed=classes + 10 * rotated, classes=classes, rotated=rotated)
    result = evaluate(*images, num_classes=classes, rotated=rotated)
    thresholds = [(50 + 5 * step) / 100 for step in range(10)]
    plain = np.array(
        [[plain_evaluation(*images, label, threshold) for threshold in thresholds] for label in range(classes)]
    )
    mean = plain.mean(axis=0)
    expected = {
        "ap50_voc07": mean[0, 0],
        "ap50_voc12": mean[0, 1],
        "ap75": mean[5, 1],
        "ap50_95": mean[:, 1].mean(),
        "recall50": mean[0, 2],
    }
    if classes > 1:
        for label in range(classes):
            expected[f"ap50_voc07_class{label}"] = plain[label, 0, 0]
            expected[f"ap50_voc12_class{label}"] = plain[label, 0, 1]
    assert result == pytest.approx(expected, abs=1e-6)
    assert 0.05 < expected["ap50_95"] < expected["ap50_voc12"] < 0.95  # the images say something


def box(x: float, y: float = 0.0, angle: float = 0.3) -> list[float]:
    return [x, y, 30.0, 8.0, angle]


def sample(boxes: list[list[float]], scores: list[float] | None = None, **more: Any) -> Sample:
    result = {"boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 5)}
    result["labels"] = torch.zeros(len(boxes), dtype=torch.int64)
    if scores is not None:
        result["scores"] = torch.tensor(scores)
    return result | {name: torch.tensor(value) for name, value in more.items()}


def test_saturation_of_voc07():
    truths = [box(100.0 * i) for i in range(20)]
    all_but_one = sample(truths[:-1], [0.9] * 19)
    result = evaluate([all_but_one], [sample(truths)], [0])
    assert result["ap50_voc07"] == pytest.approx(10 / 11)
    assert result["ap50_voc12"] == result["ap75"] == result["ap50_95"] == result["recall50"] == pytest.approx(0.95)


def test_duplicates_are_false_alarms_even_beside_a_free_object():
    # The second detection overlaps the first object most, though the second object would do at IoU 0.5.
    upright = [[10.0, 0, 20, 10, 0], [15.0, 0, 20, 10, 0]]
    detections = sample([upright[0], [12.0, 0, 20, 10, 0]], [0.9, 0.8])
    result = evaluate([detections], [sample(upright)], [0])
    assert result["recall50"] == 0.5
    assert result["ap50_voc12"] == 0.5


@pytest.mark.parametrize("rotated", [True, False])
@pytest.mark.parametrize("hundredths", range(50, 100, 5))
def test_iou_of_exactly_the_threshold_is_enough(hundredths: int, rotated: bool):
    # A box of width 100 and its part of that many pixels: the IoU is a decimal that no binary number equals.
    whole, part = ([5, 7, 105, 17], [5, 7, 5 + hundredths, 17])
    if rotated:
        whole, part = ([x1 + (x2 - x1) / 2, 12, x2 - x1, 10, 0] for x1, _, x2, _ in (whole, part))
    target = {"boxes": torch.tensor([whole]).float(), "labels": torch.tensor([0])}
    prediction = {"boxes": torch.tensor([part]).float(), "labels": torch.tensor([0]), "scores": torch.tensor([0.5])}
    result = evaluate([prediction], [target], [0], rotated=rotated)
    assert result["ap50_95"] == pytest.approx((hundredths - 45) / 50)


def test_difficult_objects_are_neither_found_nor_missed():
    target = sample([box(0), box(100), box(200)], difficult=[False, True, True])
    found_hard_first = sample([box(100), box(100, 1), box(0)], [0.9, 0.8, 0.7])
    assert evaluate([found_hard_first], [target], [0])["ap50_voc12"] == 1.0
    # At a higher IoU the second no longer claims the difficult object, and is a false alarm.
    assert evaluate([found_hard_first], [target], [0])["ap50_95"] < 1.0
    found_nothing = evaluate([sample([box(100)], [0.9])], [target], [0])
    assert found_nothing["recall50"] == found_nothing["ap50_voc07"] == 0.0
    not_difficult = sample([box(0), box(100), box(200)])
    assert evaluate([found_hard_first], [not_difficult], [0])["recall50"] == pytest.approx(2 / 3)


def test_equal_scores_rank_by_image_id_then_index():
    right, wrong = sample([box(0)], [0.5]), sample([box(500)], [0.5])
    target, empty = sample([box(0)]), sample([])
    first = evaluate([right, wrong], [target, empty], [3, 7])
    second = evaluate([right, wrong], [target, empty], [7, 3])
    assert (first["ap50_voc12"], second["ap50_voc12"]) == (1.0, 0.5)
    in_one = [sample([box(0), box(500)], [0.5, 0.5]), sample([box(500), box(0)], [0.5, 0.5])]
    assert [evaluate([p], [target], [0])["ap50_voc12"] for p in in_one] == [1.0, 0.5]


def test_order_of_images_and_batches_does_not_matter():
    predictions, targets, ids = random_images(9, seed=5, classes=2)
    expected = evaluate(predictions, targets, ids, num_classes=2)
    metric = DetectionAveragePrecision(num_classes=2)
    for rows in ([8, 2], [5], [], [0, 7, 1, 3], [6, 4]):
        metric.update([predictions[r] for r in rows], [targets[r] for r in rows], torch.tensor([ids[r] for r in rows]))
    assert {name: value.item() for name, value in metric.compute().items()} == expected


def test_repeated_images_count_once_and_conflicting_ones_are_refused():
    predictions, targets, ids = random_images(4, seed=6)
    expected = evaluate(predictions, targets, ids)
    again = [0, 1, 2, 3, 3, 1]
    repeated = ([predictions[i] for i in again], [targets[i] for i in again], [ids[i] for i in again])
    assert evaluate(*repeated) == expected
    with pytest.raises(ValueError, match="image id 5 came with two different ground truths"):
        evaluate([sample([], [])] * 2, [sample([box(0)]), sample([box(9)])], [5, 5])


def test_nothing_to_find_and_nothing_found():
    nothing, target = sample([], []), sample([box(0)])
    assert set(evaluate([nothing], [target], [0]).values()) == {0.0}
    undefined = evaluate([sample([box(0)], [0.9])], [sample([])], [0])
    assert all(math.isnan(value) for value in undefined.values())
    assert all(math.isnan(value) for value in evaluate([nothing], [sample([])], [0]).values())
    only_difficult = evaluate([sample([box(0)], [0.9])], [sample([box(0)], difficult=[True])], [0])
    assert all(math.isnan(value) for value in only_difficult.values())


def test_class_without_objects_is_left_out_of_the_mean():
    prediction = sample([box(0), box(50)], [0.9, 0.8], labels=[0, 2])
    result = evaluate([prediction], [sample([box(0)])], [0], num_classes=3)
    assert result["ap50_voc12"] == result["ap50_voc12_class0"] == 1.0
    assert math.isnan(result["ap50_voc12_class1"])
    assert math.isnan(result["ap50_voc07_class2"])


def test_labels_keep_boxes_apart():
    prediction = sample([box(0)], [0.9], labels=[1])
    result = evaluate([prediction], [sample([box(0)])], [0], num_classes=2)
    assert result["recall50"] == 0.0


def test_curve():
    metric = DetectionAveragePrecision()
    target = sample([box(0), box(100), box(200)], difficult=[False, False, True])
    metric.update([sample([box(0), box(400), box(200), box(100)], [0.9, 0.8, 0.7, 0.6])], [target], [0])
    curve = metric.curve()
    np.testing.assert_allclose(curve["precision"], [1, 1 / 2, 2 / 3])
    np.testing.assert_allclose(curve["recall"], [0.5, 0.5, 1])
    np.testing.assert_allclose(curve["scores"], [0.9, 0.8, 0.6])
    metric.update([sample([box(0)], [0.95])], [sample([box(0)])], [1])
    assert len(metric.curve()["recall"]) == 4
    with pytest.raises(IndexError, match="class 1"):
        metric.curve(1)


def test_reset_and_pickle(tmp_path: Path):
    predictions, targets, ids = random_images(3, seed=7)
    metric = DetectionAveragePrecision()
    metric.update(predictions[1:], targets[1:], ids[1:])
    metric.compute()
    metric.reset()
    metric.update(predictions, targets, ids)
    expected = evaluate(predictions, targets, ids)
    assert {name: value.item() for name, value in metric.compute().items()} == expected
    batch_value = DetectionAveragePrecision()(predictions, targets, ids)
    assert batch_value["ap50_voc12"].item() == expected["ap50_voc12"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_values_that_are_not_finite_name_their_image(bad: float):
    good, target = sample([box(0)], [0.9]), sample([box(0)])
    with pytest.raises(DivergenceError, match=r"image id 12: .* diverged"):
        evaluate([good, sample([box(0)], [bad])], [target, target], [3, 12])
    with pytest.raises(DivergenceError, match="image id 3: "):
        evaluate([sample([box(bad)], [0.5]), good], [target, target], [3, 12])
    with pytest.raises(DataError, match="image id 12: a ground truth box"):
        evaluate([good, good], [target, sample([box(bad)])], [3, 12])


def test_wrong_arguments_are_named():
    good, target = sample([box(0)], [0.9]), sample([box(0)])
    metric = DetectionAveragePrecision()
    with pytest.raises(ValueError, match="1 predictions, 1 targets and 2 image ids"):
        metric.update([good], [target], [0, 1])
    with pytest.raises(ValueError, match=r"scores of prediction 0 must have the shape \(1,\)"):
        metric.update([good | {"scores": torch.zeros(2)}], [target], [0])
    with pytest.raises(ValueError, match=r"boxes of target 0 must have the shape \(N, 5\)"):
        metric.update([good], [target | {"boxes": torch.zeros(1, 4)}], [0])
    with pytest.raises(ValueError, match="image id 4: predicted label 1"):
        evaluate([sample([box(0)], [0.9], labels=[1])], [target], [4])
    with pytest.raises(DataError, match="image id 4: ground truth label 2"):
        evaluate([good], [sample([box(0)], labels=[2])], [4])
    with pytest.raises(ValueError, match="image id 4: a box has a negative size"):
        evaluate([sample([[0.0, 0, -3, 4, 0]], [0.9])], [target], [4])
    with pytest.raises(ValueError, match="num_classes"):
        DetectionAveragePrecision(num_classes=0)


# What each of the two processes is given, as rows of the random images: uneven, with the repetition
# that evens out three images, and with a process that sees nothing.
SHARES = {"uneven": ([0, 2], [1]), "repeated": ([0, 2], [1, 0]), "one idle": ([2, 0, 1], [])}


def worker(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    predictions, targets, ids = random_images(3, seed=8, classes=2)
    results = {}
    for name, shares in SHARES.items():
        metric = DetectionAveragePrecision(num_classes=2)
        for row in shares[rank]:
            metric.update([predictions[row]], [targets[row]], [ids[row]])
        values = {key: value.item() for key, value in metric.compute().items()}
        kept = metric.image_results()
        results[name] = (values, metric.curve(1)["recall"].tolist(), (kept.tested, kept.predictions, kept.metrics()))
    torch.save(results, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_agree_with_one(tmp_path: Path):
    multiprocessing.spawn(worker, (str(tmp_path),), nprocs=2)
    metric = DetectionAveragePrecision(num_classes=2)
    metric.update(*random_images(3, seed=8, classes=2))
    expected = {key: value.item() for key, value in metric.compute().items()}
    for rank in range(2):
        results = torch.load(tmp_path / f"{rank}.pt")
        for name in SHARES:
            values, recall, kept = results[name]
            assert values == expected, name
            found = metric.image_results()
            assert kept == (found.tested, found.predictions, found.metrics())
            assert recall == metric.curve(1)["recall"].tolist()
