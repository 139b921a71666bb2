import re

import pytest
from tests.tables.report.example import DONE, MIXED, YAML, build

from retable.tables.report import charts, claim_lines, html


def drawings(result, folder, label):
    """The drawings of the page whose descriptions begin with a label."""
    found = re.findall(r'<svg class="chart[^>]* aria-label="([^"]*)">(.*?)</svg>', html.document(result, folder))
    return [drawing for description, drawing in found if description.startswith(label)]


def test_the_dot_plot_has_a_mark_for_each_number(tmp_path):
    result = build(tmp_path, MIXED)
    (drawing,) = drawings(result, tmp_path, "Paper against ours in HRSC2016")
    assert drawing.count('class="paper"') == 4
    assert drawing.count('class="ours"') == 3
    assert drawing.count('class="seed"') == 6
    assert drawing.count('class="spread"') == 2
    assert "<title>Baseline in HRSC2016: paper 83.3, ours 58.1 ± 0.8</title>" in drawing
    assert "<title>R2CNN in HRSC2016: paper 75.7, ours not available</title>" in drawing


def test_a_column_without_numbers_has_no_dot_plot(tmp_path):
    result = build(tmp_path)
    assert charts.dot_scale(result, result.table.columns["SSDD"]) is None
    assert drawings(result, tmp_path, "Paper against ours in SSDD") == []


def test_the_forest_plot_shows_the_claimed_side_and_both_differences(tmp_path):
    result = build(tmp_path, DONE)
    links = [link for line in claim_lines.claim_lines(result) for link in line.links]
    scale = charts.forest_scale(links)
    rows = drawings(result, tmp_path, tuple(link.name for link in links))
    for link, drawing in zip(links, rows, strict=True):
        left = float(re.search(r'<rect x="([\d.]+)"', drawing)[1])
        assert left == scale(max(link.comparison.low, scale.low))
        assert drawing.count('class="ours"') == 1
        assert drawing.count('class="paper"') == (link.printed_value is not None)
        assert drawing.count('class="spread"') + drawing.count('class="arrow"') == 3


def test_intervals_that_are_too_long_are_cut_with_an_arrow(tmp_path):
    outcomes = {("LARSD-3", "HRSC2016"): (62.0, 66.0), ("LARSD-1", "HRSC2016"): (61.0, 61.0)}
    text = YAML[: YAML.index("claims:")] + "claims: [LARSD-3 > LARSD-1 in HRSC2016]\n"
    result = build(tmp_path, outcomes, text=text, seeds=(1, 2))
    (line,) = claim_lines.claim_lines(result)
    scale = charts.forest_scale(line.links)
    assert scale.high < line.links[0].test.high
    (drawing,) = drawings(result, tmp_path, line.links[0].name)
    assert drawing.count('class="arrow"') == 2


@pytest.mark.parametrize(
    ("claim", "name", "region", "printed"),
    [
        ("LARSD-3 > LARSD-1", "LARSD-3 − LARSD-1", "> 0", "+1.7"),
        ("Baseline < LARSD-1", "Baseline − LARSD-1", "< 0", "−2.2"),
        ("LARSD-3 - Baseline < 10", "LARSD-3 − Baseline", "< 10", "+3.9"),
        ("LARSD-3 - Baseline = 3.9 +- 0.5", "LARSD-3 − Baseline", "3.4 to 4.4", "+3.9"),
        ("LARSD-3 > 80", "LARSD-3", "> 80", "+87.2"),
        ("LARSD-3 - LARSD-1 > LARSD-1 - Baseline", "LARSD-3 − LARSD-1 − LARSD-1 + Baseline", "> 0", "−0.5"),
    ],
)
def test_claims_in_words(tmp_path, claim, name, region, printed):
    text = YAML[: YAML.index("claims:")] + f"claims: [{claim} in HRSC2016]\n"
    (line,) = claim_lines.claim_lines(build(tmp_path, DONE, text=text))
    (link,) = line.links
    assert (link.name, link.region, link.printed) == (name, region, printed)


def test_claims_across_columns_name_them(tmp_path):
    text = YAML[: YAML.index("claims:")] + "claims: ['LARSD-3[HRSC2016] < LARSD-3[SSDD]']\n"
    (line,) = claim_lines.claim_lines(build(tmp_path, DONE, text=text))
    assert line.links[0].name == "LARSD-3[HRSC2016] − LARSD-3[SSDD]"
    assert line.warnings == ("generated data, not HRSC2016",)
    assert line.support == "The paper prints too little to check it by its own numbers."


def test_claims_share_a_scale_only_where_they_share_a_unit(tmp_path):
    columns = "columns:\n  FID: {overrides: data=a, metric: fid}\n  SSIM: {overrides: data=b, metric: ssim}\n"
    rows = "rows:\n  A: model=a\n  B: model=b\n"
    text = f"title: t\nsource: s\n{rows}{columns}claims:\n  - A < B in FID\n  - A > B in SSIM\n"
    outcomes = {("A", "FID"): (30, 31), ("B", "FID"): (40, 42), ("A", "SSIM"): (0.9, 0.8), ("B", "SSIM"): (0.7, 0.7)}
    document = html.document(build(tmp_path, outcomes, text=text, seeds=(1, 2)), tmp_path)
    assert re.findall(r"<caption>(.*?)</caption>", document) == ["Differences in fid", "Differences in ssim"]
    assert 'class="chart forest' in document
    one = text.replace("  - A < B in FID\n  - A > B in SSIM\n", "  - A is best in FID, SSIM\n")
    document = html.document(build(tmp_path / "one", outcomes, text=one, seeds=(1, 2)), tmp_path)
    assert re.findall(r"<caption>(.*?)</caption>", document) == ["Differences in fid and ssim"]
    assert 'class="chart forest' not in document
