import math
from pathlib import Path

import pytest
from tests.tables.report.example import DONE, MIXED, SYNTHETIC, YAML, build
from tests.tables.report.page import Page

from retable.tables.report import curves, html
from retable.tables.report.charts import Scale, fit
from retable.tables.store import State

NAMES = ("train/loss", "val/ap50_voc07")
GOOD = """epoch,step,train/loss,val/ap50_voc07,val/other
0,10,2.5,,
0,20,2.0,,
0,20,,0.3,9
1,30,1.5,,
1,40,1.0,,
1,40,,0.5,9
"""


def write_metrics(result, text):
    for status in result.statuses.values():
        status.folder.mkdir(parents=True, exist_ok=True)
        (status.folder / "metrics.csv").write_text(text)


def test_reads_what_was_asked_for(tmp_path):
    (tmp_path / "metrics.csv").write_text(GOOD)
    assert curves.read(tmp_path / "metrics.csv", NAMES) == {
        "train/loss": [(10, 2.5), (20, 2.0), (30, 1.5), (40, 1.0)],
        "val/ap50_voc07": [(20, 0.3), (40, 0.5)],
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n", []),
        ("a,b\n1,2\n", []),
        ("step,train/loss\n", []),
        ("step,train/loss\n1,2.0\n2,1.", [(1, 2.0)]),
        ("step,train/loss\n1,nan\n2,inf\n3,x\n4,1.0\n", [(4, 1.0)]),
        ("step,train/loss\n2,1.0\n1,3.0\n2,2.0\n", [(1, 3.0), (2, 2.0)]),
        ("epoch,train/loss\n0,1.0\n", [(0, 1.0)]),
        ("train/loss,step\n1.0\n2.0,5\n", [(5, 2.0)]),
        ("step,train/loss\n1,2.0\n\0\0\0\n3,1.0\n", [(1, 2.0), (3, 1.0)]),
        ('step,train/loss\n1,2.0\n2,"1.0\n', [(1, 2.0), (2, 1.0)]),
    ],
)
def test_reads_damaged_files_as_far_as_they_go(tmp_path, text, expected):
    (tmp_path / "metrics.csv").write_text(text)
    assert curves.read(tmp_path / "metrics.csv", NAMES).get("train/loss", []) == expected


def test_reads_no_bytes_that_are_no_text_and_no_file(tmp_path):
    (tmp_path / "metrics.csv").write_bytes(b"\x89PNG\r\n\xff\xfe" * 50)
    assert curves.read(tmp_path / "metrics.csv", NAMES) == {}
    assert curves.read(tmp_path / "none.csv", NAMES) == {}


@pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 1000, 12345])
def test_long_curves_are_averaged(count):
    points = [(float(i), float(i % 2)) for i in range(count)]
    thinned = curves.thin(points, 100)
    assert len(thinned) <= 100
    assert len(thinned) == count or count > 100
    assert thinned == sorted(thinned)


def test_each_column_has_a_panel_for_its_loss_and_its_metric_in_printed_units(tmp_path):
    result = build(tmp_path, DONE)
    write_metrics(result, GOOD)
    panels = curves.panels(result)
    assert [(panel.quantity, [column.label for column in panel.columns]) for panel in panels] == [
        ("train/loss", ["HRSC2016"]),
        ("val/ap50_voc07", ["HRSC2016"]),
        ("train/loss", ["SSDD"]),
        ("val/ap50_voc07", ["SSDD"]),
    ]
    assert [len(panel.lines) for panel in panels] == [9, 9, 9, 9]
    assert panels[1].lines[0].points == [(20, 30.0), (40, 50.0)]


def test_columns_that_share_their_cells_share_the_loss(tmp_path):
    shared = YAML.replace("SSDD: data=ssdd", "SSDD: {overrides: data=hrsc2016, metric: other}")
    result = build(tmp_path, DONE, text=shared, data={"SSDD": SYNTHETIC})
    write_metrics(result, GOOD)
    quantities = [(panel.quantity, [column.label for column in panel.columns]) for panel in curves.panels(result)]
    assert quantities == [
        ("train/loss", ["HRSC2016", "SSDD"]),
        ("val/ap50_voc07", ["HRSC2016"]),
        ("val/other", ["SSDD"]),
    ]


def test_the_page_draws_one_line_for_each_seed_with_a_title(tmp_path):
    result = build(tmp_path, {**MIXED, ("LARSD-3", "SSDD"): (State.running,) * 3})
    write_metrics(result, GOOD)
    page = Page(html.document(result, tmp_path))
    lines = page.attributes("polyline")
    assert len(lines) == 4 * 9
    assert {line["class"] for line in lines} == {"c1 curve", "c2 curve", "c3 curve"}
    assert "LARSD-3, seed 2: 50.000 at step 40" in page.text


def test_a_single_point_is_a_dot(tmp_path):
    result = build(tmp_path, DONE)
    write_metrics(result, "step,train/loss\n5,1.0\n")
    page = Page(html.document(result, tmp_path))
    assert page.attributes("polyline") == []
    assert sum("dot" in (circle.get("class") or "") for circle in page.attributes("circle")) == 18


def test_without_metrics_there_is_no_section(tmp_path):
    result = build(tmp_path, DONE)
    write_metrics(result, "garbage\n")
    assert "Training curves" not in html.document(result, tmp_path)


def test_many_rows_are_parted_so_that_colours_suffice(tmp_path):
    rows = "".join(f"  M{index}: model.k={index}\n" for index in range(12))
    text = f"title: t\nsource: s\nmetric: m\nrows:\n{rows}columns:\n  C: data=c\n"
    result = build(tmp_path, {(f"M{index}", "C"): (1.0, 2.0, 3.0) for index in range(12)}, text=text)
    write_metrics(result, GOOD)
    groups = curves.groups(result, curves.panels(result))
    assert [len(group) for group in groups] == [4, 4, 4]
    assert [row for group in groups for row in group] == list(result.table.rows)


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (49.9, 90.3), (-3.2, 10.9), (1e-6, 2e-6), (0, 123456), (-1e-9, 1e-9), (80.01, 80.02)]
)
def test_ticks_are_few_and_inside(low, high):
    scale = fit([low, high], 0, 300)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 6
    assert len(set(ticks.values())) == len(ticks)
    assert all(scale.low <= tick <= scale.high for tick in ticks)


def test_a_scale_of_equal_numbers_has_a_width():
    scale = fit([5.0, 5.0], 0, 100)
    assert scale(5.0) == 50
    assert scale.ticks()


def test_a_wide_range_of_losses_is_logarithmic():
    scale = fit([0.01, 100.0], 0, 100, may_be_log=True)
    assert scale.logarithmic
    assert scale(1.0) == pytest.approx(50, abs=0.1)
    assert scale.ticks() == {0.01: "0.01", 0.1: "0.1", 1.0: "1", 10.0: "10", 100.0: "100"}
    assert not fit([-1.0, 100.0], 0, 100, may_be_log=True).logarithmic


def test_numbers_beyond_a_scale_are_drawn_at_its_end():
    scale = Scale(0, 1, 10, 20)
    assert (scale(-math.inf), scale(7)) == (10, 20)


def test_all_losses_of_the_training_are_read(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("step,train/loss_generator,train/loss_discriminator,train/seconds\n1,2.0,0.5,9\n")
    assert curves.read(path, ()) == {"train/loss_generator": [(1, 2.0)], "train/loss_discriminator": [(1, 0.5)]}
