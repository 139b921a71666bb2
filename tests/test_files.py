"""Files that are complete or absent, and folders that one process has for itself."""

import errno
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from retable.errors import ConfigError
from retable.files import alone, write_atomically, write_text


def test_a_failed_write_leaves_the_file_as_it_was_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def full(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=r"No space left on device: '.*a\.txt'"):
        write_atomically(path, full)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.txt", "old")]


@pytest.mark.parametrize(("free", "kind"), [(100, OSError), (10**10, RuntimeError)])
def test_what_torch_says_of_a_full_disk_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, kind: type[Exception]
) -> None:
    def full(_: Path) -> None:
        raise RuntimeError("[enforce fail at inline_container.cc:668] . unexpected pos 64 vs 0")

    usage = namedtuple("usage", "total used free")  # as shutil's own
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**10, 0, free))
    with pytest.raises(kind) as caught:
        write_atomically(tmp_path / "a.ckpt", full)
    assert type(caught.value) is kind


HOLD = """import sys
from pathlib import Path
from retable.files import alone
with alone(Path(sys.argv[1]), ""):
    print("held", flush=True)
    input()
"""


def test_a_folder_is_one_process_s_until_it_dies(tmp_path: Path) -> None:
    for name in (".metrics.4711.csv", "checkpoints/.last.4711.ckpt", ".gitignore", "metrics.csv"):
        write_text(tmp_path / name, "")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with (
        pytest.raises(ConfigError, match=rf"it is in use \(process {process.pid} on .+\)"),
        alone(tmp_path, "it is in use"),
    ):
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with alone(tmp_path, "it is in use"):
        pass
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert found == [".gitignore", "metrics.csv"]  # what dead processes left half-written is gone
