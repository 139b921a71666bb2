"""Builds the dataset of the essay from Cityscapes (its section 2)."""

import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.progress import track

from retable.errors import ConfigError, DataError
from retable.files import write_text
from retable.nn.backbones import sha256
from retable.papers.cars.cityscapes import report
from retable.papers.cars.cityscapes.detector import choose_device, find_weights
from retable.papers.cars.cityscapes.files import Source, list_sources
from retable.papers.cars.cityscapes.pool import process_all
from retable.papers.cars.cityscapes.process_image import (
    IMAGES,
    Detector,
    Entry,
    Outcome,
    clear_unfinished,
    read_finished,
)
from retable.papers.cars.cityscapes.schema import CityscapesCarsConfig

SETTINGS = "settings.json"
_GPU_WORKERS = 4  # each has a network of its own on the GPU

log = logging.getLogger(__name__)


class CityscapesCars:
    """Every car of Cityscapes as a picture of its own, with nothing but green around it.

    A car is kept when the detector finds a car with enough confidence in the picture of it alone, in the frame of the
    whole photograph. What has been done is not done again by a later call; the result is that of a single one.
    """

    def __init__(self, config: CityscapesCarsConfig) -> None:
        self.config = config
        self.root, self.output = Path(config.root).expanduser(), Path(config.output).expanduser()

    def build(self, about: dict[str, Any]) -> None:
        """Builds the dataset, or what is missing of it; the record tells what is said about this program as well.

        Raises:
            ConfigError: The folder holds something else.
            DataError: Cityscapes is not there, incomplete, or a file of it cannot be read.
            CheckpointError: The detector's weights cannot be used.
            OSError: The disk is full or the folder cannot be written.
        """
        started, begin = datetime.now(UTC), time.perf_counter()
        sources, notes = list_sources(self.root, self.config.splits)
        for note in notes:
            log.info("%s", note)
        make_detector, detection = self._prepare_detector()
        settings = self._claim_folder(detection)
        if (self.output / report.RECORD).is_file():
            log.info("%s is complete; nothing to do", self.output)
            return
        done = {source: found for source in sources if (found := read_finished(source, self.output)) is not None}
        missing = [source for source in sources if source not in done]
        if done:
            log.info("%d of %d photographs were done before", len(done), len(sources))
        done |= self._process(missing, make_detector)
        clear_unfinished(self.output)
        entries = [entry for source in sources for entry in done[source]]
        report.write_table(self.output, entries)
        report.write_sheets(self.output, entries, sources, self.config)
        facts = {
            "notes": [*notes, *([] if make_detector else [_WITHOUT])],
            "started": started.isoformat(timespec="seconds"),
            "wall_seconds": round(time.perf_counter() - begin, 1),
            "photographs_of_earlier_calls": len(sources) - len(missing),
            **about,
        }
        report.write_record(self.output, entries, sources, settings, facts)
        self._tell(entries)

    def _prepare_detector(self) -> tuple[Callable[[], Detector] | None, dict[str, Any]]:
        """Makes sure that the detector can be made; says also what the boxes of pictures depend on."""
        weights = find_weights(self.config.weights)
        if weights is None:
            log.warning("%s", _WITHOUT)
            return None, {"boxes": "masks", "detector": {}}
        make = partial(self.config.detector, weights=weights, accelerator=self.config.accelerator)
        detector: Detector = make()  # weights that do not fit are told now, and once
        return make, {"boxes": f"detector {weights.name} sha256:{sha256(weights)}", "detector": detector.settings}

    def _claim_folder(self, detection: dict[str, Any]) -> dict[str, Any]:
        """Keeps the settings in the folder, or compares them with those that it was begun with."""
        config = self.config
        settings: dict[str, Any] = {
            "splits": list(config.splits),
            **detection,
            "min_confidence": config.min_confidence,
            "min_side": config.min_side,
            "form": config.form.value,
            "crop": config.crop,
            "background": list(config.background),
            "size": config.size,
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

    def _process(
        self, missing: Sequence[Source], make_detector: Callable[[], Detector] | None
    ) -> dict[Source, list[Entry]]:
        if not missing:
            return {}
        on_gpu = make_detector is not None and choose_device(self.config.accelerator).type == "cuda"
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        workers = self.config.workers or min(cores, _GPU_WORKERS if on_gpu else len(missing))
        done: dict[Source, list[Entry]] = {}
        failures: list[DataError] = []
        config = replace(self.config, detector=None)  # without one, no process has to import it
        results = process_all(missing, config, self.output, make_detector, workers)
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
        counts = report.count_outcomes(entries)
        dropped = [f"{count} {report.MEANINGS[one]}" for one, count in counts.items() if count and one != Outcome.kept]
        log.info("%d cars in %s; dropped: %s", counts[Outcome.kept], self.output / IMAGES, "; ".join(dropped) or "none")
        if counts[Outcome.kept]:
            log.info("learn from them: python train.py model=dcgan data=cars data.root=%s", self.output / IMAGES)


_WITHOUT = (
    "there are no weights for the detector: every car that is large enough is kept, whatever hides it, cropped to its "
    "mask; the essay keeps those that Mask R-CNN finds (weights=FILE)"
)
