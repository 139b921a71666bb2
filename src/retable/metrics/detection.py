"""Average precision of rotated or axis-aligned detections, exact under distributed evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from retable.errors import DataError, DivergenceError
from retable.metrics.average_precision import BoolArray, match_detections, precision_recall
from retable.metrics.image_results import digest
from retable.metrics.image_results.detections import IOU_THRESHOLDS, DetectionResults, from_masks
from retable.metrics.overlaps import BoxesOfImages, best_overlaps


class DetectionAveragePrecision(Metric):
    r"""Detection average precision by the rules of PASCAL VOC, for rotated or axis-aligned boxes.

    `compute` returns a dictionary of scalar float32 tensors in [0, 1]:

    - `ap50_voc07`: VOC 2007's 11-point AP at IoU 0.5;
    - `ap50_voc12`: the area under the monotone precision envelope (VOC 2010 and later) at IoU 0.5;
    - `ap75`: the area AP at IoU 0.75;
    - `ap50_95`: the mean of the area APs at the ten IoUs 0.50, 0.55, ..., 0.95;
    - `recall50`: recall at IoU 0.5 when every detection is accepted;
    - with several classes, each of these is the mean over the classes that have ground truth, and
      `ap50_voc07_class<i>` and `ap50_voc12_class<i>` are added for each class i.

    Both APs at 0.5 are always reported because of a trap in the older, see `average_precision_voc07`.

    The rules, as in the development kit: each detection claims the ground truth of its image and
    class that it overlaps most; an IoU equal to the threshold is enough; the detection with the best
    score gets it, later ones are false positives. Difficult ground truths are no positives, and
    detections that claim them count neither way. Detections with equal scores are ranked by image
    id, then by their order in the prediction. Coordinates are continuous: an extent is x2 - x1,
    without the kit's extra pixel.

    A class without positives (nothing but difficult ground truths, or none) has no AP: it is nan,
    and so are the means if that holds for all classes. No detections at all give 0.

    Under distributed evaluation each process may see any number of images, also none, and an image
    that was repeated to even out the processes counts once: images are recognised by their id.
    `compute` is collective: every process has to call it.

    Args:
        num_classes: the number of classes; labels are 0 to num_classes - 1.
        rotated: boxes are (cx, cy, w, h, theta), else (x1, y1, x2, y2), in pixels and radians.
        **kwargs: passed to `torchmetrics.Metric`.

    Raises:
        ValueError: if num_classes is below 1.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    def __init__(self, num_classes: int = 1, rotated: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if num_classes < 1:
            raise ValueError(f"num_classes must be 1 or more, not {num_classes}")
        self.num_classes = num_classes
        self.rotated = rotated
        columns = 5 if rotated else 4
        # What an empty state looks like, so that a process without images can take part in gathering.
        self._empty_states = {
            "image_ids": torch.zeros(0, dtype=torch.int64),
            "detection_counts": torch.zeros(0, dtype=torch.int64),
            "detection_boxes": torch.zeros(0, columns),
            "detection_scores": torch.zeros(0),
            "detection_labels": torch.zeros(0, dtype=torch.int64),
            "truth_counts": torch.zeros(0, dtype=torch.int64),
            "truth_boxes": torch.zeros(0, columns),
            "truth_labels": torch.zeros(0, dtype=torch.int64),
            "truth_difficult": torch.zeros(0, dtype=torch.int64),  # gathering bool is not portable
        }
        for name in self._empty_states:
            self.add_state(name, default=[], dist_reduce_fx="cat")
        self._curves: list[dict[str, NDArray[np.float64]]] | None = None
        self._image_results: DetectionResults | None = None

    def update(
        self,
        predictions: Sequence[Mapping[str, Tensor]],
        targets: Sequence[Mapping[str, Tensor]],
        image_ids: Tensor | Sequence[int],
    ) -> None:
        """Adds the detections and the ground truth of some images.

        Values are checked when they are computed, not here, so that no step waits for the device
        and that under distributed evaluation all processes fail together.

        Args:
            predictions: one mapping an image: `boxes` (N, 5) or (N, 4), `scores` (N,), `labels` (N,).
            targets: one mapping an image: `boxes` (M, 5) or (M, 4), `labels` (M,), and optionally
                `difficult` (M,) bool. N and M may be 0.
            image_ids: one integer an image, unique in the dataset and the same in all processes.

        Raises:
            ValueError: if the three arguments differ in length, or tensors of an image in shape.
        """
        identifiers = torch.as_tensor(image_ids, dtype=torch.int64, device=self.device).reshape(-1)
        if not len(predictions) == len(targets) == len(identifiers):
            raise ValueError(
                f"{len(predictions)} predictions, {len(targets)} targets and {len(identifiers)} image ids: "
                "give one of each for every image"
            )
        if len(identifiers) == 0:
            return
        columns = self._empty_states["detection_boxes"].shape[1]
        for name, samples, others in (
            ("prediction", predictions, ("scores", "labels")),
            ("target", targets, ("labels", "difficult")),
        ):
            for position, sample in enumerate(samples):
                count, *rest = sample["boxes"].shape
                if rest != [columns]:
                    raise ValueError(
                        f"boxes of {name} {position} must have the shape (N, {columns}), "
                        f"not {tuple(sample['boxes'].shape)}"
                    )
                for key in others:
                    if key in sample and tuple(sample[key].shape) != (count,):
                        raise ValueError(
                            f"{key} of {name} {position} must have the shape ({count},) like its boxes, "
                            f"not {tuple(sample[key].shape)}"
                        )
        rows = {
            "image_ids": [identifiers],
            "detection_counts": [torch.tensor([len(p["boxes"]) for p in predictions])],
            "detection_boxes": [p["boxes"] for p in predictions],
            "detection_scores": [p["scores"] for p in predictions],
            "detection_labels": [p["labels"] for p in predictions],
            "truth_counts": [torch.tensor([len(t["boxes"]) for t in targets])],
            "truth_boxes": [t["boxes"] for t in targets],
            "truth_labels": [t["labels"] for t in targets],
            "truth_difficult": [t.get("difficult", torch.zeros_like(t["labels"])) for t in targets],
        }
        for name, parts in rows.items():
            added = torch.cat(parts).detach()
            getattr(self, name).append(added.to(device=self.device, dtype=self._empty_states[name].dtype))
        self._curves = None

    def _concatenated(self, name: str) -> Tensor:
        state: list[Tensor] | Tensor = getattr(self, name)
        if isinstance(state, Tensor):  # what synchronising leaves
            return state
        return torch.cat(list(state)) if len(state) > 0 else self._empty_states[name].to(self.device)

    def sync(
        self,
        dist_sync_fn: Callable[..., Any] | None = None,
        process_group: Any | None = None,
        should_sync: bool = True,
        distributed_available: Callable[[], bool] | None = None,
    ) -> None:
        """Gathers the states of all processes (see `torchmetrics.Metric.sync`).

        Each state is first made one tensor of its own shape and type, also in a process that saw
        no image: torchmetrics would let that one gather a float vector instead, and hang or fail.
        """
        if should_sync and not self._is_synced:
            for name in self._empty_states:
                setattr(self, name, [self._concatenated(name)])
        super().sync(dist_sync_fn, process_group, should_sync, distributed_available)

    def reset(self) -> None:
        """Forgets all images."""
        super().reset()
        self._curves = None

    def compute(self) -> dict[str, Tensor]:
        """Evaluates everything that was added, in all processes together.

        Returns:
            The dictionary that the class describes, scalars on the metric's device.

        Raises:
            DivergenceError: if a score or a detected box is not finite.
            DataError: if a ground truth box is not finite, or its label not one of the classes.
            ValueError: if a predicted label is not one of the classes, a box has a negative size, or
                one image id came with different ground truths.
        """
        image_ids, detections, scores, truths, difficult = self._images_once()
        self._check_values(image_ids, detections, scores, truths)
        best_iou, best_truth = best_overlaps(detections, truths)
        # Images are in order of their id: a stable sort ranks equal scores by image id, then by index.
        order = np.argsort(-scores, kind="stable")
        image = detections.images
        hits, ignored, images, self._curves = [], [], [], []
        truths_of_images = np.zeros((self.num_classes, len(image_ids)), np.int64)
        np.add.at(truths_of_images, (truths.labels[~difficult], truths.images[~difficult]), 1)
        for label in range(self.num_classes):
            rows = order[detections.labels[order] == label]
            masks = [match_detections(best_iou[rows], best_truth[rows], difficult, at) for at in IOU_THRESHOLDS]
            hits.append(np.stack([found for found, _ in masks]))
            ignored.append(np.stack([neither for _, neither in masks]))
            images.append(image[rows])
            found, neither = masks[0]
            precision, recall = precision_recall(found, neither, int(truths_of_images[label].sum()))
            self._curves.append(
                {"precision": precision, "recall": recall, "scores": scores[rows][~neither].astype(np.float64)}
            )
        predictions = digest(detections.starts, detections.boxes, detections.labels, scores)
        tested = digest(image_ids, truths.starts, truths.boxes, truths.labels, difficult)
        self._image_results = from_masks(hits, ignored, images, truths_of_images, predictions, tested)
        return {
            name: torch.tensor(value, dtype=torch.float32, device=self.device)
            for name, value in self._image_results.metrics().items()
        }

    def image_results(self) -> DetectionResults:
        """Returns how the detections in each image came out, images in the order of their ids.

        It belongs to the last `compute`, which is called if nothing was computed since the last update; under
        distributed evaluation call `compute` in all processes first.
        """
        self._compute_again()
        assert self._image_results is not None
        return self._image_results

    def curve(self, label: int = 0) -> dict[str, NDArray[np.float64]]:
        """Returns the precision-recall curve of one class at IoU 0.5.

        It belongs to the last `compute`, which is called if nothing was computed since the last
        update; under distributed evaluation call `compute` in all processes first.

        Args:
            label: the class.

        Returns:
            `precision`, `recall` and `scores`, each (D,) float64 in decreasing order of score;
            D counts all detections of the class but those that claim a difficult ground truth.
            Recall is nan if the class has no positives.

        Raises:
            IndexError: if there is no such class.
        """
        if not 0 <= label < self.num_classes:
            raise IndexError(f"class {label} is not one of the {self.num_classes} classes")
        self._compute_again()
        assert self._curves is not None
        return self._curves[label]

    def _compute_again(self) -> None:
        if self._computed is None or self._curves is None:  # `forward` leaves the curves of one batch
            self._computed = None
            self.compute()

    def _images_once(
        self,
    ) -> tuple[NDArray[np.int64], BoxesOfImages, NDArray[np.float32], BoxesOfImages, NDArray[np.bool_]]:
        """Sorts images by their id and keep each once: ids, detections, scores, truths, difficult."""
        arrays = {name: self._concatenated(name).cpu().numpy() for name in self._empty_states}
        image_ids, kept, copy_of = np.unique(arrays["image_ids"], return_index=True, return_inverse=True)
        if len(image_ids) < len(copy_of):
            _check_copies(arrays, kept[copy_of.reshape(-1)])

        def chosen(kind: str) -> tuple[BoxesOfImages, NDArray[np.int64]]:
            rows, starts = _rows_of_images(arrays[f"{kind}_counts"], kept)
            return BoxesOfImages(arrays[f"{kind}_boxes"][rows], arrays[f"{kind}_labels"][rows], starts), rows

        detections, detection_rows = chosen("detection")
        truths, truth_rows = chosen("truth")
        scores, difficult = arrays["detection_scores"][detection_rows], arrays["truth_difficult"][truth_rows] != 0
        return image_ids, detections, scores, truths, difficult

    def _check_values(
        self,
        image_ids: NDArray[np.int64],
        detections: BoxesOfImages,
        scores: NDArray[np.float32],
        truths: BoxesOfImages,
    ) -> None:
        def refuse(wrong: BoolArray, boxes: BoxesOfImages, error: type[Exception], problem: str) -> None:
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                image = image_ids[np.searchsorted(boxes.starts, row, side="right") - 1]
                raise error(f"image id {image}: {problem.format(label=boxes.labels[row])}")

        refuse(
            ~(np.isfinite(scores) & _all_finite(detections.boxes)), detections, DivergenceError,
            "a detection has a score or a box that is not a finite number; the network has diverged: lower the "
            "learning rate",
        )  # fmt: skip
        refuse(~_all_finite(truths.boxes), truths, DataError, "a ground truth box is not finite; mend the annotation")
        for boxes in (detections, truths):
            sizes = boxes.boxes[:, 2:4] if self.rotated else boxes.boxes[:, 2:] - boxes.boxes[:, :2]
            refuse((sizes[:, 0] < 0) | (sizes[:, 1] < 0), boxes, ValueError, "a box has a negative size")
        classes = f"is not one of the {self.num_classes} classes"
        mend = "mend the annotation or the number of classes"
        for boxes, error, problem in (
            (truths, DataError, f"ground truth label {{label}} {classes}; {mend}"),
            (detections, ValueError, f"predicted label {{label}} {classes}"),
        ):
            refuse((boxes.labels < 0) | (boxes.labels >= self.num_classes), boxes, error, problem)


def _all_finite(rows: NDArray[np.float32]) -> BoolArray:
    # Column by column: NumPy reduces short rows an order of magnitude slower.
    finite: BoolArray = np.logical_and.reduce([np.isfinite(column) for column in rows.T])
    return finite


def _rows_of_images(
    counts: NDArray[np.int64], images: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lists the rows that belong to the chosen images, in their order, and where each image then starts.

    Args:
        counts: (I,) rows of each image in the stored arrays.
        images: (J,) positions of the chosen images.

    Returns:
        (R,) rows of the stored arrays, and (J + 1,) starts in the new order.
    """
    old_starts = np.cumsum(counts) - counts
    starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts[images])])
    rows = np.arange(starts[-1]) + np.repeat(old_starts[images] - starts[:-1], counts[images])
    return rows, starts


def _check_copies(arrays: Mapping[str, NDArray[Any]], first_of: NDArray[np.int64]) -> None:
    """Makes sure that images of one id are one image: their ground truths must be equal."""
    counts = arrays["truth_counts"]
    stops = np.cumsum(counts)
    boxes = arrays["truth_boxes"]
    for position in np.flatnonzero(first_of != np.arange(len(first_of))):
        first = first_of[position]
        if not np.array_equal(
            boxes[stops[position] - counts[position] : stops[position]],
            boxes[stops[first] - counts[first] : stops[first]],
            equal_nan=True,
        ):
            raise ValueError(
                f"image id {arrays['image_ids'][position]} came with two different ground truths: "
                "ids must be unique in the dataset"
            )
