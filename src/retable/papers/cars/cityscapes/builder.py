"""Builds the dataset of the essay from Cityscapes (its section 2)."""

import json
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.progress import track

from retable.errors import ConfigError, DataError
from retable.files import write_text
from retable.nn.backbones import sha256
from retable.papers.cars.cityscapes import report
from retable.papers.cars.cityscapes.cutting import Look
from retable.papers.cars.cityscapes.detector import choose_device, find_weights
from retable.papers.cars.cityscapes.detector_protocol import Detector
from retable.papers.cars.cityscapes.files import Source, list_sources
from retable.papers.cars.cityscapes.pool import Job, available_cores, do_all
from retable.papers.cars.cityscapes.process_image import IMAGES, Entry, Fate, Rules, clear_unfinished, done_before
from retable.papers.cars.cityscapes.schema import Form

SETTINGS = "settings.json"
_GPU_WORKERS = 4  # each has a network of its own on the GPU

log = logging.getLogger(__name__)


class CityscapesCars:
    """Every car of Cityscapes as a picture of its own, with nothing but green around it.

    A car is kept when the detector finds a car with enough confidence in the picture of it alone, in the frame of the
    whole photograph. What has been done is not done again by a later call; the result is that of a single one.

    Args: those of `retable.papers.cars.cityscapes.schema.CityscapesCarsConfig`; `detector` is called with weights and
        accelerator.

    Raises:
        ConfigError: A value that cannot work.
    """

    def __init__(
        self,
        root: str,
        output: str,
        splits: Sequence[str],
        weights: str,
        detector: Callable[..., Detector],
        min_confidence: float,
        min_side: int,
        form: Form,
        crop: bool,
        background: Sequence[int],
        size: int | None,
        workers: int | None,
        accelerator: str,
    ) -> None:
        if not 0 <= min_confidence <= 1:
            raise ConfigError(f"min_confidence must be from 0 to 1, not {min_confidence}")
        for key, value in (("min_side", min_side), ("size", size), ("workers", workers)):
            if value is not None and value < 1:
                raise ConfigError(f"{key} must be at least 1, not {value}")
        if len(background) != 3 or not all(0 <= value <= 255 for value in background):
            raise ConfigError(f"background: {list(background)} is not three numbers from 0 to 255")
        if not splits or len(set(splits)) < len(splits):
            raise ConfigError(f"splits: {list(splits)} is empty or names a split twice")
        self.root, self.output = Path(root).expanduser(), Path(output).expanduser()
        self.splits, self.weights, self._make_detector = tuple(splits), weights, detector
        red, green, blue = background
        self.rules = Rules(min_confidence, min_side, Look(Form(form), (red, green, blue), crop, size))
        self.workers, self.accelerator = workers, accelerator

    def build(self, about: dict[str, Any]) -> None:
        """Builds the dataset, or what is missing of it.

        Args:
            about: What the record is to tell of this program: command, versions and the like.

        Raises:
            ConfigError: The folder holds something else.
            DataError: Cityscapes is not there, incomplete, or a file of it cannot be read.
            CheckpointError: The detector's weights cannot be used.
            OSError: The disk is full or the folder cannot be written.
        """
        started, begin = datetime.now(UTC), time.perf_counter()
        listing = list_sources(self.root, self.splits)
        for note in listing.notes:
            log.info("%s", note)
        make_detector, boxes = self._prepare_detector()
        settings = self._claim_folder(boxes)
        if (self.output / report.RECORD).is_file():
            log.info("%s is complete; nothing to do", self.output)
            return
        done = {source: found for source in listing.sources if (found := done_before(source, self.output)) is not None}
        missing = [source for source in listing.sources if source not in done]
        if done:
            log.info("%d of %d photographs were done before", len(done), len(listing.sources))
        done |= self._do(missing, make_detector)
        clear_unfinished(self.output)
        entries = [entry for source in listing.sources for entry in done[source]]
        report.write_table(self.output, entries)
        report.write_sheets(self.output, entries, listing.sources, self.rules.look)
        facts = {
            "notes": [*listing.notes, *([] if make_detector else [_WITHOUT])],
            "started": started.isoformat(timespec="seconds"),
            "wall_seconds": round(time.perf_counter() - begin, 1),
            "photographs_of_earlier_calls": len(listing.sources) - len(missing),
            **about,
        }
        report.write_record(self.output, entries, listing.sources, settings, facts)
        self._tell(entries)

    def _prepare_detector(self) -> tuple[Callable[[], Detector] | None, str]:
        """Makes sure that the detector can be made; says also where the boxes of pictures come from."""
        weights = find_weights(self.weights)
        if weights is None:
            log.warning("%s", _WITHOUT)
            return None, "masks"
        make = partial(self._make_detector, weights=weights, accelerator=self.accelerator)
        make()  # weights that do not fit are told now, and once
        return make, f"detector {weights.name} sha256:{sha256(weights)}"

    def _detector_settings(self) -> dict[str, Any]:
        keywords = self._make_detector.keywords if isinstance(self._make_detector, partial) else {}
        return {key: value for key, value in keywords.items() if key != "batch_size"}

    def _claim_folder(self, boxes: str) -> dict[str, Any]:
        """Keeps the settings in the folder, or compares them with those that it was begun with."""
        look = self.rules.look
        settings: dict[str, Any] = {
            "splits": list(self.splits),
            "boxes": boxes,
            "detector": self._detector_settings() if boxes != "masks" else {},
            "min_confidence": self.rules.min_confidence,
            "min_side": self.rules.min_side,
            "form": look.form.value,
            "crop": look.crop,
            "background": list(look.background),
            "size": look.size,
        }
        path = self.output / SETTINGS
        if not path.exists():
            if self.output.exists() and (not self.output.is_dir() or any(self.output.iterdir())):
                raise ConfigError(f"output: {self.output} holds something else; give a new or an empty folder")
            write_text(path, json.dumps(settings, indent=1) + "\n")
            return settings
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: cannot be read ({error}); give another output") from error
        for key, value in settings.items():
            if kept.get(key) != value:
                raise ConfigError(
                    f"output: {self.output} was begun with {key}={kept.get(key)}, and now it is {value}; give the "
                    "same, or another output"
                )
        return settings

    def _do(self, missing: Sequence[Source], make_detector: Callable[[], Detector] | None) -> dict[Source, list[Entry]]:
        if not missing:
            return {}
        on_gpu = make_detector is not None and choose_device(self.accelerator).type == "cuda"
        workers = self.workers or min(available_cores(), _GPU_WORKERS if on_gpu else len(missing))
        done: dict[Source, list[Entry]] = {}
        failures: list[DataError] = []
        results = do_all(missing, Job(self.rules, self.output, make_detector), workers)
        for source, result in track(results, "cutting cars", total=len(missing)):
            if isinstance(result, DataError):
                log.error("%s", result)
                failures.append(result)
            else:
                done[source] = result
        if failures:
            raise DataError(
                f"{len(failures)} of {len(missing)} photographs could not be used, first: {failures[0]}; then the same "
                "command does only these"
            )
        return done

    def _tell(self, entries: Sequence[Entry]) -> None:
        counts = report.count_fates(entries)
        dropped = [f"{count} {report.MEANINGS[fate]}" for fate, count in counts.items() if count and fate != Fate.kept]
        log.info("%d cars in %s; dropped: %s", counts[Fate.kept], self.output / IMAGES, "; ".join(dropped) or "none")
        if counts[Fate.kept]:
            log.info("learn from them: python train.py model=dcgan data=cars data.root=%s", self.output / IMAGES)


_WITHOUT = (
    "there are no weights for the detector: every car that is large enough is kept, whatever hides it, cropped to its "
    "mask; the essay keeps those that Mask R-CNN finds (weights=FILE)"
)
