"""Detections in a user's own images and videos: JSON, CSV, DOTA text, and drawn on the image."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from retable.boxes import AXIS_ALIGNED, BoxFormat, format_of
from retable.data.checking import NEAR_BLACK, read_whole
from retable.data.images import image_header, read_image
from retable.data.inputs import input_images
from retable.data.listing import IMAGE_SUFFIXES
from retable.data.videos import VIDEO_SUFFIXES, Video, VideoWriter, is_video
from retable.detection import results
from retable.detection.recognition import Recogniser
from retable.detection.schema import Scaling
from retable.detection.stages import Stopwatch, log_medians, medians
from retable.detection.transforms import Image, resized
from retable.errors import DataError, StorageError
from retable.files import write_atomically, write_csv, write_text
from retable.visualization.drawing import LARGEST_JPEG, draw_detections, write_picture

log = logging.getLogger(__name__)

Detect = Callable[[Tensor], dict[str, Tensor]]
"""Maps an image, uint8 (3, H, W) of any size, to boxes (N, 5) or (N, 4), scores (N,), labels (N,) in its pixels.

Where it knows the corners of what it found, it returns corners (N, 4, 2) too."""


def predict_files(
    detect: Detect,
    source: str,
    output: Path,
    classes: Sequence[str],
    score_threshold: float,
    scaling: Scaling,
    about: dict[str, Any],
    *,
    recognise: Recogniser | None = None,
    every: int = 1,
    published_time: str = "",
) -> None:
    """Detects in an image or a video, or in all of a folder or pattern, and writes what was found.

    Written are, each all or nothing: ``labelTxt/NAME.txt`` (the eight corner coordinates, class, 0: DOTA's annotation
    form, which `data=dota` reads), ``Task1_CLASS.txt`` (image, score, corners: DOTA's form for results), one
    ``detections.json``, one ``detections.csv`` and ``drawn/NAME.jpg`` (``.png`` where JPEG has no room). NAME is the
    image's path below the folder with its ending, so that no result takes the place of another's. Photos that EXIF
    turns are looked at, drawn and told upright; readers of annotations count stored pixels. Of a video the frames are
    in the JSON and the CSV, and drawn as ``drawn/NAME.mp4``. A file that cannot be read does not stop the others;
    of a video that ends early the frames before that are kept.

    Args:
        detect: The detector.
        source: An image, a video, a folder of them, or a pattern.
        output: Folder for the results.
        classes: Names of the labels.
        score_threshold: Detections below it are left out.
        scaling: How images are scaled first; the results are in the pixels of the files, turned as EXIF tells.
        about: What is told of the detector in ``detections.json``.
        recognise: What tells more of each detection; None: nothing is told.
        every: Of videos, every so many frames is looked at.
        published_time: What a paper says of the time that an image takes.

    Raises:
        DataError: There is nothing to read, or, at the end, some files could not be read; the message names them.
        StorageError: A result cannot be written.
    """
    files = input_images(source, IMAGE_SUFFIXES | VIDEO_SUFFIXES, "images or videos")
    if (output / "detections.json").exists():
        log.warning(
            "%s has results of an earlier call: those of images of the same names are replaced; detections.json, "
            "detections.csv and Task1_*.txt will tell of this call only", output,
        )  # fmt: skip
    work = _Prediction(detect, output, classes, score_threshold, scaling, recognise)
    failures = []
    try:
        for name, path in track(files.items(), "detecting"):
            try:
                if is_video(path):
                    work.video(name, path, every)
                else:
                    work.image(name, path)
            except DataError as error:
                log.error("%s", error)
                failures.append(name)
        work.write({**about, "input": source, "score_threshold": score_threshold}, failures)
    except OSError as error:
        raise StorageError(f"cannot write into {output}: {error.strerror}") from error
    found = sum(len(entry["detections"]) for entry in work.entries)
    log.info("%d detections in %d images, in %s", found, len(work.entries), output)
    if work.entries:
        log_medians(medians([entry["milliseconds"] for entry in work.entries]), published_time)
    if failures:
        raise DataError(f"{len(failures)} of {len(files)} files could not be read whole: {', '.join(failures)}")


@dataclass
class _Prediction:
    """One call: the arguments of `predict_files`, and what was found so far."""

    detect: Detect
    output: Path
    classes: Sequence[str]
    score_threshold: float
    scaling: Scaling
    recognise: Recogniser | None
    entries: list[dict[str, Any]] = field(default_factory=list)
    box_format: BoxFormat = AXIS_ALIGNED

    def image(self, name: str, path: Path) -> None:
        watch = Stopwatch()
        with watch.stage("reading"):
            read = partial(read_image, bands=self.scaling.bands, value_range=self.scaling.range, upright=True)
            image = read_whole(read, path)
        if self.scaling.range is None and image.max() < NEAR_BLACK and image_header(path).bits == 16:
            log.warning("%s: 16 bits a channel of which the lower are used, so that it is near black", path)
        entry, drawn = self._found(name, image, watch)
        with watch.stage("drawing"):
            ending = ".jpg" if max(drawn.shape) <= LARGEST_JPEG else ".png"
            write_picture(self.output / "drawn" / f"{name}{ending}", drawn)
        self.entries.append({**entry, "milliseconds": watch.milliseconds})
        write_text(self.output / "labelTxt" / f"{name}.txt", results.annotation_lines(entry))

    def video(self, name: str, path: Path, every: int) -> None:
        video = Video(path)
        problems: list[DataError] = []  # of a video that ends early what was drawn is kept

        def film(temporary: Path) -> None:
            try:
                self._frames(name, video, every, temporary)
            except DataError as error:
                if not temporary.exists():
                    raise
                problems.append(error)

        write_atomically(self.output / "drawn" / f"{name}.mp4", film)
        if problems:
            raise problems[0]

    def _frames(self, name: str, video: Video, every: int, drawn_as: Path) -> None:
        frames, writer = video.frames(every), None
        try:
            while True:
                watch = Stopwatch()
                with watch.stage("reading"):
                    frame = next(frames, None)
                if frame is None:
                    return
                entry, drawn = self._found(name, frame.image, watch)
                with watch.stage("drawing"):
                    writer = writer or VideoWriter(drawn_as, video.rate / every, drawn.shape[:2])
                    writer.write(drawn)
                place = {"file": name, "frame": frame.number, "seconds": frame.seconds}
                self.entries.append({**place, **entry, "milliseconds": watch.milliseconds})
        finally:
            if writer is not None:
                writer.close()

    def write(self, about: dict[str, Any], failures: Sequence[str]) -> None:
        images = [entry for entry in self.entries if "frame" not in entry]
        for name in self.classes:
            write_text(self.output / f"Task1_{name.replace('/', '_')}.txt", results.result_lines(images, name))
        keys = () if self.recognise is None else self.recognise.keys
        write_csv(self.output / "detections.csv", results.table(self.entries, self.box_format, keys))
        times = medians([entry["milliseconds"] for entry in self.entries])
        whole = {**about, "median_milliseconds": times, "images": self.entries, "unreadable": list(failures)}
        write_text(self.output / "detections.json", json.dumps(whole, indent=1) + "\n")

    def _found(self, name: str, image: Image, watch: Stopwatch) -> tuple[dict[str, Any], Image]:
        """What is told of an image, and the image with it."""
        with watch.stage("detection"):
            prediction = self._detected(image)
        self.box_format = format_of(prediction["boxes"])
        found = results.detections(prediction, self.classes)
        texts = [f"{each['score']:.2f}" for each in found]
        if self.recognise is not None:
            with watch.stage("cutting out"):
                crops = self.recognise.cut(image, prediction)
            with watch.stage("classification"):
                answers = self.recognise.answers(crops)
            found = [{**each, "recognised": answer} for each, answer in zip(found, answers, strict=True)]
            texts = [
                f"{score} {self.recognise.text(answer)}".rstrip() for score, answer in zip(texts, answers, strict=True)
            ]
        with watch.stage("drawing"):
            drawn = draw_detections(image, prediction, minimum_size=256, texts=texts)
        return results.entry(name, image, found), drawn

    def _detected(self, image: Image) -> dict[str, Tensor]:
        """The detections that are kept, on the CPU, in the image's pixels."""
        height, width = image.shape[:2]
        scaled_height, scaled_width = self.scaling.size(height, width)
        scaled = np.ascontiguousarray(resized(image, scaled_height, scaled_width))
        prediction = self.detect(torch.from_numpy(scaled).permute(2, 0, 1))
        kept = prediction["scores"] >= self.score_threshold
        prediction = {key: value[kept].cpu() for key, value in prediction.items()}
        boxes, factors = prediction["boxes"], (width / scaled_width, height / scaled_height)
        prediction["boxes"] = format_of(boxes).scaled(boxes, *factors)
        if "corners" in prediction:
            prediction["corners"] = prediction["corners"] * torch.tensor(factors)
        return prediction
