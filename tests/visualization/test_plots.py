import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from retable.errors import DataError
from retable.metrics_csv import read_curves
from retable.visualization import plots
from retable.visualization.plots import loss_curves_plot, precision_recall_plot


def has_colour(path: Path, rgb: tuple[int, int, int]) -> bool:
    image = cv2.imread(str(path))
    assert image is not None
    assert min(image.shape[:2]) > 400
    return int((np.abs(image[..., ::-1].astype(int) - rgb).max(axis=2) < 12).sum()) > 200


BLUE, ORANGE = (0, 114, 178), (213, 94, 0)


def test_precision_recall_plot(tmp_path: Path):
    ranks = np.arange(1, 101)
    hits = np.cumsum(np.random.default_rng(0).random(100) < 0.8)
    curves = {
        "ship": {"precision": hits / ranks, "recall": hits / 100},
        "boat": {"precision": np.array([1.0, 0.5]), "recall": np.array([0.2, 0.2])},
        "none": {"precision": np.zeros(0), "recall": np.zeros(0)},
        "undefined": {"precision": np.zeros(1), "recall": np.full(1, np.nan)},
    }
    path = tmp_path / "folder" / "curve.png"
    precision_recall_plot(curves, path)
    assert has_colour(path, BLUE)
    assert has_colour(path, ORANGE)
    assert [file.name for file in path.parent.iterdir()] == ["curve.png"]
    first = path.read_bytes()
    precision_recall_plot(curves, str(path))
    assert path.read_bytes() == first


METRICS = """epoch,step,train/loss,train/loss_angle,val/ap50_voc07,lr,seconds
0,0,4.0,0.5,,0.001,
0,1,3.0,0.4,,,
0,1,,,0.25,,7.5
1,2,nan,0.3,,,
1,3,2.0,0.2,,,
1,3,,,0.5,,
1,3,,,0.75,,
2,4,1.0
2,"""


def test_sparse_rows_become_curves(tmp_path: Path):
    path = tmp_path / "metrics.csv"
    path.write_text(METRICS)
    curves = read_curves(path)
    np.testing.assert_array_equal(curves["train/loss"], [[0, 4], [1, 3], [2, np.nan], [3, 2], [4, 1]])
    # the later row replaces the earlier
    np.testing.assert_array_equal(curves["val/ap50_voc07"], [[1, 0.25], [3, 0.75]])


def test_each_metric_has_a_colour_of_its_own_beside_the_legend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    names = [f"m{index}" for index in range(10)]
    rows = ["step,train/loss," + ",".join(f"{split}/{name}" for split in ("val", "test") for name in names)]
    rows += [f"{step},1," + ",".join(["0.5"] * 10 + [""] * 10) for step in (1, 2)]
    rows += ["3,," + ",".join([""] * 10 + ["0.25"] * 10)]
    (tmp_path / "metrics.csv").write_text("\n".join(rows) + "\n")
    figures: list[Any] = []
    monkeypatch.setattr(plots, "save_figure", lambda figure, path: figures.append(figure))
    loss_curves_plot(tmp_path / "metrics.csv", tmp_path / "curves.png")
    (figure,) = figures
    figure.draw_without_rendering()
    panel = figure.axes[1]
    lines = [line for line in panel.lines if line.get_linestyle() == "-"]
    points = [line for line in panel.lines if line.get_linestyle() == "None"]
    assert [len(line.get_xdata()) for line in lines + points] == [2] * 10 + [1] * 10
    assert len({line.get_color() for line in lines}) == 10
    assert [line.get_color() for line in lines] == [point.get_color() for point in points]
    legend = panel.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [f"{name}: val 0.5, test (◆) 0.25" for name in names]
    assert legend.get_window_extent().x0 > panel.get_window_extent().x1


def test_loss_curves_plot(tmp_path: Path):
    path = tmp_path / "metrics.csv"
    path.write_text(METRICS)
    loss_curves_plot(path, tmp_path / "both.png")
    only = tmp_path / "only_losses.csv"
    rows = [f"{step},{5 / (step + 1)}" for step in range(200)]
    only.write_text("step,train/loss\n" + "\n".join(rows))
    loss_curves_plot(only, tmp_path / "losses.png")
    both, losses = (cv2.imread(str(tmp_path / name)) for name in ("both.png", "losses.png"))
    assert both.shape[1] == 2 * losses.shape[1]
    assert has_colour(tmp_path / "both.png", BLUE)
    assert has_colour(tmp_path / "losses.png", BLUE)


def test_unusable_metrics_files_are_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"absent\.csv: there is no such metrics file"):
        loss_curves_plot(tmp_path / "absent.csv", tmp_path / "x.png")
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(DataError, match=r"empty\.csv: not a metrics file"):
        loss_curves_plot(empty, tmp_path / "x.png")
    empty.write_text("epoch,step,lr\n0,0,0.1\n")
    with pytest.raises(DataError, match=r"empty\.csv: neither losses nor metrics"):
        loss_curves_plot(empty, tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


def test_importing_plots_does_not_import_matplotlib():
    code = "import sys, retable.visualization.plots; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
