from pathlib import Path

import pytest

from retable.errors import ConfigError
from retable.tables import spec

GOOD = """\
title: A title
source: Somebody, Table I
base: model=larsd
metric: ap50_voc07
scale: 100
rows:
  One: model.lasa=none
  Two: {overrides: "model.lasa=diamond-9 model.levels=[P2]", about: {Points: 9}}
  Three: {not_available: no model yet}
columns:
  X: data=hrsd
  Y: {overrides: data=hrsc2016, metric: train/seconds, scale: 1, unit: s, decimals: 0, better: lower}
printed:
  One: {X: 80.5}
claims:
  - One > Two
  - {claim: Two > One in X, says: They say so.}
notes:
  - A note.
"""


def write(folder: Path, text: str, name: str = "paper/table1.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_table_is_read_whole(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (table,) = spec.find(["paper/1"], [tmp_path])
    assert (table.name, table.title, table.base) == ("paper/1", "A title", ("model=larsd",))
    assert list(table.rows) == ["One", "Two", "Three"]
    assert table.rows["Two"].overrides == ("model.lasa=diamond-9", "model.levels=[P2]")
    assert table.rows["Two"].about == {"Points": "9"}
    assert table.rows["Three"].not_available == "no model yet"
    x, y = table.columns.values()
    assert (x.metric, x.scale, x.decimals, x.higher_is_better) == ("ap50_voc07", 100, 1, True)
    assert (y.metric, y.scale, y.unit, y.decimals, y.higher_is_better) == ("train/seconds", 1, "s", 0, False)
    assert table.printed == {("One", "X"): 80.5}
    assert [claim.text for claim in table.claims] == ["One > Two in X", "One > Two in Y", "Two > One in X"]
    assert table.claims[-1].says == "They say so."
    assert table.notes == ("A note.",)


@pytest.mark.parametrize("written", ["80.5 +- 0.25", "80.5 ± 0.25", '"80.5+-0.25"'])
def test_a_printed_number_may_have_a_spread(tmp_path: Path, written: str) -> None:
    table = spec.load(write(tmp_path, GOOD.replace("X: 80.5", f"X: {written}, Y: -3")), "paper/1")
    assert table.printed == {("One", "X"): 80.5, ("One", "Y"): -3.0}
    assert table.printed_std == {("One", "X"): 0.25}


def test_the_source_names_the_paper_and_the_number_in_it(tmp_path: Path) -> None:
    table = spec.load(write(tmp_path, GOOD), "paper/1")
    assert (table.paper, table.number) == ("Somebody", "Table I")
    table = spec.load(write(tmp_path, GOOD.replace("Somebody, Table I", "A thesis")), "paper/1")
    assert (table.paper, table.number) == ("A thesis", "")


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("title: A title", "titel: A title", 1, "there is no key 'titel'; did you mean title?"),
        ("title: A title\n", "", 1, "the key 'title' is missing"),
        ("title: A title", "title: [A]", 1, "title must be a text"),
        ("scale: 100", "scale: much", 5, "scale must be a number, not 'much'"),
        ("{X: 80.5}", "{X: 8O.5}", 14, "the printed value of One in X must be a number, not '8O.5'"),
        ("{X: 80.5}", "{X: .nan}", 14, "must be a number"),
        ("{X: 80.5}", "{X: 80.5 +- some}", 14, "must be a number or a mean and a deviation such as 81.2 +- 0.3"),
        ("{X: 80.5}", "{X: 80.5 ±}", 14, "One in X must be a number or a mean and a deviation such as 81.2 +- 0.3"),
        ("{X: 80.5}", "{Z: 80.5}", 14, "there is no column 'Z'"),
        ("One: {X: 80.5}", "Onee: {X: 80.5}", 14, "there is no row 'Onee'; did you mean One?"),
        ("better: lower", "better: low", 12, "better must be higher or lower"),
        ("decimals: 0", "decimal: 0", 12, "there is no key 'decimal'; did you mean decimals?"),
        ("- One > Two", "- One > Four", 16, "claim 'One > Four': 'Four' is neither a row"),
        ("says:", "say:", 17, "there is no key 'say'; did you mean says?"),
        ("One: model.lasa=none", "One: model.lasa", 7, "'model.lasa' is no override (key=value)"),
        ("  Three: {not", "  One: {not", 9, "'One' is there twice"),
        ("  One: model.lasa=none", "  One: a: b", 7, "not valid YAML"),
        ("metric: ap50_voc07\n", "", 10, "column X: the key 'metric' is missing"),
        ("notes:\n  - A note.", "notes: A note.", 18, "notes must be a list"),
        ("scale: 100", "test: bootstrap", 5, "test must be t test or sign flips"),
        ("scale: 100", "tuned_on: train", 5, "tuned_on must be val or test"),
        ("scale: 100", "select: both", 5, "select must be own or shared"),
        ("scale: 100", "seeds: 2.5", 5, "seeds: a whole number of 1 or more is needed, not 2.5"),
        ("about: {Points: 9}", "of: Ones", 8, "row Two: of: there is no row 'Ones'; did you mean One?"),
        ("about: {Points: 9}", "of: Two", 8, "row Two: of: Two is not trained itself; name a row that is"),
        ("about: {Points: 9}", "of: Three", 8, "row Two: of: Three is not trained itself"),
    ],
)  # fmt: skip
def test_faults_are_told_with_file_and_line(tmp_path: Path, old: str, new: str, line: int, problem: str) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        spec.load(path, "paper/1")
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert problem in str(caught.value)


PARTS = """\
title: A title
source: Somebody, Table II
rows:
  One: {metric_part: winking_face}
  Two: {metric_part: angry_face}
columns:
  Recall: {metric: "recall_{part}"}
  Seconds: {metric: train/seconds}
"""


def test_a_metric_may_depend_on_the_row(tmp_path: Path) -> None:
    table = spec.load(write(tmp_path, PARTS), "paper/1")
    one, two = table.rows.values()
    recall, seconds = table.columns.values()
    assert [column.metric_of(row) for column in (recall, seconds) for row in (one, two)] == [
        "recall_winking_face", "recall_angry_face", "train/seconds", "train/seconds",
    ]  # fmt: skip
    assert spec.extend(table, {"One": "seed=3"}, {}).rows["One"].metric_part == "winking_face"
    with pytest.raises(ConfigError, match=r"rows\.Three: a row of this table needs a metric_part"):
        spec.extend(table, {"Three": "seed=3"}, {})


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("{metric_part: angry_face}", "seed=3", 5, "row Two: the metric of column Recall needs its metric_part"),
        ("recall_{part}", "recall", 4, "row One: it has a metric_part, but no column's metric has {part}"),
        ("metric_part: angry", "metrc_part: angry", 5, "there is no key 'metrc_part'; did you mean metric_part?"),
    ],
)
def test_faults_of_parts_are_told_with_file_and_line(
    tmp_path: Path, old: str, new: str, line: int, problem: str
) -> None:
    path = write(tmp_path, PARTS.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        spec.load(path, "paper/1")
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert problem in str(caught.value)


def test_a_metric_may_be_the_mean_of_several(tmp_path: Path) -> None:
    text = PARTS.replace('"recall_{part}"', '"mean(precision_{part}, recall_{part}, val/f1)"')
    table = spec.load(write(tmp_path, text), "paper/1")
    metric = table.columns["Recall"].metric_of(table.rows["Two"])
    assert spec.parts_of(metric) == ["precision_angry_face", "recall_angry_face", "val/f1"]
    assert spec.parts_of("train/seconds") == ["train/seconds"]


def test_a_table_says_how_claims_are_tested_and_on_what_something_was_tuned(tmp_path: Path) -> None:
    table = spec.load(write(tmp_path, GOOD), "paper/1")
    assert (table.flips, [column.tuned_on_test for column in table.columns.values()]) == (False, [False, False])
    said = "test: sign flips\ntuned_on: test\n" + GOOD.replace("Y: {overrides", "Y: {tuned_on: val, overrides")
    table = spec.load(write(tmp_path, said), "paper/1")
    assert (table.flips, [column.tuned_on_test for column in table.columns.values()]) == (True, [True, False])


def test_a_row_may_test_the_trainings_of_another(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("about: {Points: 9}", "of: One").replace("scale: 100", "seeds: 10\nselect: own"))
    (table,) = spec.find(["paper/1"], [tmp_path])
    assert (table.seeds, table.shared) == (10, False)
    assert table.rows["Two"].of == "One"
    assert table.overrides_of(table.rows["Two"]) == ("model.lasa=none", "model.lasa=diamond-9", "model.levels=[P2]")


def test_names_and_patterns(tmp_path: Path) -> None:
    for name in ("a/table2", "a/table10", "b/main"):
        write(tmp_path, GOOD, f"{name}.yaml")
    assert list(spec.files([tmp_path])) == ["a/2", "a/10", "b/main"]
    assert [table.name for table in spec.find(["a/*"], [tmp_path])] == ["a/2", "a/10"]
    assert [table.name for table in spec.find(["b/main", "*", "a/table2.yaml"], [tmp_path])] == [
        "b/main",
        "a/2",
        "a/10",
    ]
    with pytest.raises(ConfigError, match="there is no 'a/3'; did you mean a/2"):
        spec.find(["a/3"], [tmp_path])


def test_an_empty_or_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="empty"):
        spec.load(write(tmp_path, ""), "x")
    with pytest.raises(ConfigError, match="cannot be read"):
        spec.load(tmp_path / "absent.yaml", "x")


def test_rows_and_columns_of_the_command_line(tmp_path: Path) -> None:
    table = spec.load(write(tmp_path, GOOD), "paper/1")
    extended = spec.extend(table, {"One": "seed=3", "Mine": "model.lasa=diamond-5"}, {"Z": "data=ssdd data.root=/x"})
    assert extended.rows["One"].overrides == ("model.lasa=none", "seed=3")
    assert extended.rows["Mine"].overrides == ("model.lasa=diamond-5",)
    assert extended.columns["Z"].overrides == ("data=ssdd", "data.root=/x")
    assert extended.columns["Z"].metric == "ap50_voc07"
    with pytest.raises(ConfigError, match=r"columns\.Z: 'nonsense' is no override"):
        spec.extend(table, {}, {"Z": "nonsense"})
