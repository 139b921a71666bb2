"""Photographs in several processes, each with a detector of its own."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import cv2

from retable.errors import DataError, RetableError
from retable.papers.cars.cityscapes.files import Source
from retable.papers.cars.cityscapes.process_image import Detector, Entry, process_photograph
from retable.papers.cars.cityscapes.schema import CityscapesCarsConfig

Result = tuple[Source, list[Entry] | DataError]
MakeDetector = Callable[[], Detector] | None


def process_all(
    sources: Sequence[Source], config: CityscapesCarsConfig, output: Path, make_detector: MakeDetector, workers: int
) -> Iterator[Result]:
    """Processes photographs, in any order.

    Args:
        sources: The photographs.
        config: What is kept, and how it looks.
        output: The dataset's folder.
        make_detector: Called in each process; None does without.
        workers: Number of processes; 1 is this one.

    Yields:
        Each photograph as soon as it is done, with its cars, or with the reason why it cannot be read.

    Raises:
        RetableError: A process ended, most often for want of memory.
        OSError: A picture cannot be written.
    """
    if workers == 1:
        detector = make_detector and make_detector()
        for source in sources:
            yield _attempt(source, config, detector, output)
        return
    others = set(multiprocessing.active_children())
    # a fork would copy the locks of threads that exist in this process alone
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(sources)), context, _start, (config, output, make_detector))
    try:
        for future in as_completed([pool.submit(_in_process, source) for source in sources]):
            yield future.result()
    except BrokenProcessPool as error:
        raise RetableError(
            "a process ended before its work was done, most often for want of memory; give fewer workers=..., the same "
            "command goes on"
        ) from error
    except BaseException:
        # a process may have minutes to go with the cars of its photograph, which it would do again
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


_common: tuple[CityscapesCarsConfig, Detector | None, Path] | None = None  # of this process, where it is one of several


def _start(config: CityscapesCarsConfig, output: Path, make_detector: MakeDetector) -> None:
    global _common
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    _common = config, make_detector and make_detector(), output


def _end_with_parent() -> None:
    """Ends this process when the first one was killed, and could not end it itself."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _in_process(source: Source) -> Result:
    assert _common is not None
    return _attempt(source, *_common)


def _attempt(source: Source, config: CityscapesCarsConfig, detector: Detector | None, output: Path) -> Result:
    try:
        return source, process_photograph(source, config, detector, output)
    except DataError as error:
        return source, error
