import re
from dataclasses import replace

from tests.tables.report.example import DONE, FAILURE, MIXED, SYNTHETIC, YAML, build
from tests.tables.report.page import Page

from retable.tables.report import formatting, html

WITHOUT_ABOUT = re.sub(r", about: \{.*?\}", "", YAML)


def page(result, folder):
    return Page(html.document(result, folder / "outputs" / "tables" / "larsd" / "2" / "small"))


def test_means_have_a_standard_deviation_with_ddof_1(tmp_path):
    row = page(build(tmp_path, DONE), tmp_path).row("results", "Baseline")
    # 58.1, 57.4, 58.9: with ddof=0 it would be 0.6
    assert row[3:6] == ["83.3", "58.1 ± 0.8", "−25.2"]


def test_rows_that_are_not_available_have_no_number_of_ours(tmp_path):
    found = page(build(tmp_path, DONE), tmp_path)
    assert found.row("results", "R2CNN")[1:] == ["/", "", "75.7", "not available", "–", "–", "not available", "–"]
    assert "R2CNN is not available: no model for region proposals yet" in found.text
    assert not any(row and row[0].startswith("R2CNN") for row in found.tables["cells"])


def test_cells_that_are_not_done_are_words(tmp_path):
    found = page(build(tmp_path, MIXED), tmp_path)
    assert found.row("results", "LARSD-1")[3:6] == ["85.5", "60.2 n = 1 of 3, 1 failed, 1 running", "−25.3"]
    assert found.row("results", "LARSD-1")[6:] == ["–", "failed", "–"]
    assert found.row("results", "LARSD-3")[4] == "62.1 ± 0.3 n = 2 of 3, 1 pending"
    assert found.row("results", "LARSD-3")[7] == "1 running, 2 pending"
    assert "9 of 18 cells done, 4 failed, 2 running, 3 pending" in found.text


def test_a_metric_that_is_missing_is_said_at_the_cell_and_as_a_warning(tmp_path):
    result = build(tmp_path, DONE, metrics={"test/ap50_voc07": None})
    found = page(result, tmp_path)
    assert found.row("results", "Baseline")[4] == "without the metric"
    (warning,) = result.warnings  # one for all cells
    assert " and 17 other cells: test/ap50_voc07 is undefined" in warning
    assert warning in found.text


def test_the_best_printed_and_the_best_of_ours_are_bold(tmp_path):
    text = html.document(build(tmp_path, DONE), tmp_path)
    table = re.search(r'<table class="results">.*?</table>', text)[0]
    # LARSD-3 in the paper; in ours LARSD-3 on generated scenes and, as written, both others on SSDD
    assert re.findall(r"<strong>(.*?)</strong>", table) == ["73.1", "87.2", "62.4", "73.1"]


def test_lower_can_be_better(tmp_path):
    text = html.document(build(tmp_path, DONE, text=YAML.replace("unit:", "better: lower\nunit:")), tmp_path)
    table = re.search(r'<table class="results">.*?</table>', text)[0]
    assert re.findall(r"<strong>(.*?)</strong>", table) == ["58.1", "70.7", "75.7"]
    assert "lower is better" in table


def test_a_column_of_the_command_line_has_no_printed_numbers(tmp_path):
    outcomes = {**DONE, ("Baseline", "DOTA"): (40.0, 41.0, 42.0)}
    found = page(build(tmp_path, outcomes, text=WITHOUT_ABOUT, columns={"DOTA": "data=dota"}), tmp_path)
    assert found.row("results", "Baseline")[-3:] == ["–", "41.0 ± 1.0", "–"]


def test_wide_tables_are_parted(tmp_path):
    columns = {f"C{index}": f"data=c{index}" for index in range(7)}
    document = html.document(build(tmp_path, DONE, columns=columns), tmp_path)
    assert document.count('<table class="results">') == 4
    assert document.count('<p class="hint"') == 6  # the style shows it where a table scrolls: these, claims and cells
    heads = re.findall(r'scope="colgroup" class="first"><span class="title">(.*?)</span>', document)
    assert heads == ["HRSC2016", "SSDD", *columns]


def test_a_table_has_as_many_columns_as_a_page_of_1200_pixels_shows(tmp_path):
    columns = {f"C{index}": f"data=c{index}" for index in range(2)}
    outcomes = {(row, column): (5.0, 6.0, 7.0) for row, _ in DONE for column in ("HRSC2016", "SSDD", *columns)}

    def blocks(text):
        return [len(block) for block in html.blocks(build(tmp_path, outcomes, text=text, columns=columns))]

    assert blocks(WITHOUT_ABOUT) == [2, 2], "four of about 280 pixels beside the labels are too many"
    assert blocks(WITHOUT_ABOUT.replace("  - LARSD-3 > Baseline in SSDD\n", "").replace("  SSDD: data=ssdd\n", "")) == [
        3
    ]
    assert blocks(YAML) == [2, 2]
    assert blocks(YAML.replace("unit:", "decimals: 19\nunit:")) == [1, 1, 1, 1]


def test_claims_have_their_verdicts_numbers_and_the_papers_sentence(tmp_path):
    result = build(tmp_path, DONE)
    found = page(result, tmp_path)
    assert "Of 5 claims: 3 reproduced, 1 contradicted and 1 inconclusive." in found.text
    assert "diamond distribution has better performance" in found.text
    first, first_link = found.tables["claims"][2:4]
    assert "reproduced" in first[0]
    assert "generated data, not HRSC2016" in first[0]
    cells = [" ".join(cell.split()) for cell in first_link]
    assert cells[0] == "LARSD-3 − LARSD-1 claimed > 0"
    assert cells[1] == "+1.7 87.2 − 85.5"
    assert cells[2].startswith("+2.03 [")
    assert cells[5] == "3"
    judgement = result.claims[0].judgement
    assert cells[6:8] == [formatting.p_value(judgement.p), formatting.p_value(judgement.p_adjusted)]
    against = next(row[0] for row in found.tables["claims"] if "Baseline > LARSD-3 in" in row[0])
    assert "contradicted" in against
    assert "The paper's own numbers do not agree with it." in against


def test_the_comparisons_of_a_chain_share_the_cells_of_their_claim(tmp_path):
    document = html.document(build(tmp_path, DONE), tmp_path)
    body = next(part for part in document.split("<tbody>") if "LARSD-3 &gt; LARSD-1 &gt; Baseline" in part)
    assert body.count('rowspan="2"') == 3
    assert body.count("<tr>") == 2


def test_failed_cells_show_reason_and_log_without_colour_codes(tmp_path):
    text = html.document(build(tmp_path, MIXED), tmp_path)
    assert FAILURE.reason in text
    assert "Killed &lt;now&gt; &amp; `here`" in text
    assert "\x1b" not in text
    assert "[31m" not in text


def test_every_cell_has_its_command_and_a_link_to_its_folder(tmp_path):
    result = build(tmp_path, MIXED)
    found = page(result, tmp_path)
    links = {attributes["href"] for attributes in found.attributes("a")}
    for status in result.statuses.values():
        assert f"../../../../cells/{status.folder.name}" in links
        if status.record is not None:
            assert status.record.command in found.text
    assert "python train.py model=larsd budget=small data=ssdd model.lasa=diamond-9 seed=1" in found.text


def test_cost_counts_each_distinct_cell_once(tmp_path):
    shared = YAML.replace("SSDD: data=ssdd", "SSDD: {overrides: data=hrsc2016, metric: ap75}")
    result = build(tmp_path, DONE, text=shared, data={"SSDD": SYNTHETIC})
    assert len(result.statuses) == 9
    assert "54.0 min for 9 cells, peak memory of a process 1.16 GiB" in page(result, tmp_path).text


def test_environment_tells_all_differences(tmp_path):
    result = build(tmp_path, DONE)
    status = result.entries["Baseline", "SSDD"].statuses[1]
    other = replace(status.record, versions={"torch": "2.16.0"}, git={"commit": "f" * 40, "dirty": True})
    result.entries["Baseline", "SSDD"].statuses[1] = replace(status, record=other)
    found = page(result, tmp_path)
    assert "torch 2.15.0 and 2.16.0" in found.text
    assert "commit cd8a52d509e4; commit ffffffffffff with uncommitted changes" in found.text


def test_a_single_seed_says_that_it_shows_no_spread(tmp_path):
    found = page(build(tmp_path, {place: values[:1] for place, values in DONE.items()}, seeds=(7,)), tmp_path)
    assert found.row("results", "Baseline")[4] == "58.1"
    assert "7 (a single seed: no spread, and no claim can be tested)" in found.text


def test_provenance_names_source_fingerprint_and_splits(tmp_path):
    found = page(build(tmp_path, DONE), tmp_path)
    for words in (SYNTHETIC["source"], SYNTHETIC["fingerprint"], "train 436, val 181, test 444; tested on test",
                  "2 images without ships were kept"):  # fmt: skip
        assert words in found.text
