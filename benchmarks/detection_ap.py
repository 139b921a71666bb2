"""Average precision of 444 images and 44,400 detections at ten thresholds, against a plain VOC loop.

    python benchmarks/detection_ap.py

The two sides get the same detections and must agree on every number. The loop is the development kit's
evaluation, once for each threshold; its overlaps come from the same compiled IoU, computed once for all thresholds,
which flatters it. Leaves with 1 if the metric takes 50 ms or more and is not 50 times faster either.
"""

from __future__ import annotations

import sys
import time

import torch

from retable.boxes import rotated_iou
from retable.metrics.detection import IOU_THRESHOLDS, DetectionAveragePrecision

IMAGES, DETECTIONS, OBJECTS = 444, 100, 1228  # HRSC2016's test split, and a hundred detections an image
LIMIT_SECONDS, LIMIT_RATIO = 0.050, 50.0

Samples = list[dict[str, torch.Tensor]]


def make_samples() -> tuple[Samples, Samples]:
    """Ships in images of 512 pixels; detections: each ship several times, more or less well, and false alarms."""
    generator = torch.Generator().manual_seed(0)
    predictions, targets = [], []
    for image in range(IMAGES):
        count = (image + 1) * OBJECTS // IMAGES - image * OBJECTS // IMAGES
        length = 40 + 160 * torch.rand(count, generator=generator)
        truths = torch.stack(
            [
                512 * torch.rand(count, generator=generator),
                512 * torch.rand(count, generator=generator),
                length,
                length / (3 + 5 * torch.rand(count, generator=generator)),
                3.14 * torch.rand(count, generator=generator) - 1.57,
            ],
            dim=1,
        )
        base = truths[torch.randint(0, count, (DETECTIONS,), generator=generator)]
        noise = torch.randn(DETECTIONS, 5, generator=generator) * torch.tensor([4.0, 4.0, 6.0, 1.0, 0.05])
        far = torch.rand(DETECTIONS, generator=generator) < 0.5
        noise[far, :2] *= 40
        boxes = base + noise
        boxes[:, 2:4].clamp_(min=2.0)
        scores = torch.rand(DETECTIONS, generator=generator)
        labels = torch.zeros(DETECTIONS, dtype=torch.int64)
        predictions.append({"boxes": boxes, "scores": scores, "labels": labels})
        difficult = torch.rand(count, generator=generator) < 0.1
        targets.append({"boxes": truths, "labels": labels[:count], "difficult": difficult})
    return predictions, targets


def fast(predictions: Samples, targets: Samples) -> tuple[dict[str, float], float, float]:
    metric = DetectionAveragePrecision()
    started = time.perf_counter()
    for start in range(0, IMAGES, 8):
        rows = slice(start, min(start + 8, IMAGES))
        metric.update(predictions[rows], targets[rows], range(rows.start, rows.stop))
    updated = time.perf_counter()
    result = {name: value.item() for name, value in metric.compute().items()}
    finished = time.perf_counter()
    return result, updated - started, finished - updated


def plain(predictions: Samples, targets: Samples) -> tuple[dict[str, float], float]:
    started = time.perf_counter()
    overlaps = [
        rotated_iou(prediction["boxes"], target["boxes"]).tolist()
        for prediction, target in zip(predictions, targets, strict=True)
    ]
    detections = [
        (-score, image, index)
        for image, prediction in enumerate(predictions)
        for index, score in enumerate(prediction["scores"].tolist())
    ]
    detections.sort()
    difficult = [target["difficult"].tolist() for target in targets]
    positives = sum(not hard for image in difficult for hard in image)
    areas, voc07, recall50 = [], 0.0, 0.0
    for threshold in IOU_THRESHOLDS.tolist():
        found = [[False] * len(image) for image in difficult]
        hits, alarms, recalls, precisions = 0, 0, [0.0], [0.0]
        for _, image, index in detections:
            best, best_iou = -1, 0.0
            for place, iou in enumerate(overlaps[image][index]):
                if iou > best_iou:
                    best, best_iou = place, iou
            if best_iou >= threshold:
                if difficult[image][best]:
                    continue
                if found[image][best]:
                    alarms += 1
                else:
                    found[image][best] = True
                    hits += 1
            else:
                alarms += 1
            recalls.append(hits / positives)
            precisions.append(hits / (hits + alarms))
        if threshold == 0.5:
            recall50 = hits / positives
            for tenth in range(11):
                reached = [p for r, p in zip(recalls, precisions, strict=True) if r >= tenth / 10]
                voc07 += max(reached, default=0.0) / 11
        for place in range(len(precisions) - 2, -1, -1):
            precisions[place] = max(precisions[place], precisions[place + 1])
        areas.append(sum((recalls[i] - recalls[i - 1]) * precisions[i] for i in range(1, len(recalls))))
    result = {
        "ap50_voc07": voc07,
        "ap50_voc12": areas[0],
        "ap75": areas[5],
        "ap50_95": sum(areas) / len(areas),
        "recall50": recall50,
    }
    return result, time.perf_counter() - started


def main() -> int:
    torch.set_num_threads(1)
    predictions, targets = make_samples()
    fast(predictions, targets)  # compiles, or loads what was compiled
    runs = [fast(predictions, targets) for _ in range(15)]
    result, update, compute = min(runs, key=lambda run: run[1] + run[2])
    rotated_iou(predictions[0]["boxes"], targets[0]["boxes"])
    expected, plain_seconds = plain(predictions, targets)
    for name, value in expected.items():
        if abs(result[name] - value) > 1e-6:
            print(f"FAILED: {name} is {result[name]:.7f}, in the plain loop {value:.7f}")
            return 1
    total = update + compute
    print(f"{IMAGES} images, {IMAGES * DETECTIONS:,} detections, {OBJECTS} objects, ten thresholds, one thread")
    print("  " + "  ".join(f"{name} {value:.4f}" for name, value in result.items()))
    print(f"  retable      {1000 * total:8.1f} ms  (update {1000 * update:.1f}, compute {1000 * compute:.1f})")
    print(f"  plain loop   {1000 * plain_seconds:8.1f} ms")
    print(f"  ratio        {plain_seconds / total:8.1f} x")
    passed = total < LIMIT_SECONDS or plain_seconds / total >= LIMIT_RATIO
    print(f"  {'passed' if passed else 'FAILED'}: the target is under 50 ms, or 50 times faster")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
