import dataclasses
import re

import pytest
from tests.tables.report.example import DONE, FAILURE, MIXED, YAML, build

from retable.tables.report import markdown


def rows(text, label):
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith(f"| {label}")
    ]


def test_results_are_as_on_the_page(tmp_path):
    text = markdown.document(build(tmp_path, MIXED))
    assert rows(text, "Baseline")[0][3:6] == ["83.3", "58.1 ± 0.8", "−25.2"]
    assert rows(text, "LARSD-1")[0][4] == "60.2 (n = 1 of 3, 1 failed, 1 running)"
    assert rows(text, "LARSD-3")[0][3:5] == ["**87.2**", "**62.1 ± 0.3** (n = 2 of 3, 1 pending)"]
    assert rows(text, "R2CNN") == [["R2CNN", "/", "", "75.7", "not available", "–", "–", "not available", "–"]]


def test_claims_are_listed_with_what_they_rest_on(tmp_path):
    text = markdown.document(build(tmp_path, DONE))
    first = rows(text, "1 ")[0]
    assert first[1:4] == [r"LARSD-3 \> LARSD-1 in HRSC2016", "✓ reproduced", "+1.7"]
    assert "“diamond distribution has better performance” The paper's own numbers agree with it." in text
    assert rows(text, "2 ")[0][4].startswith("LARSD-3 − LARSD-1: +2.03")
    assert rows(text, "2 ")[0][3] == "+1.7<br>+2.2"


def test_commands_are_those_of_the_outputs_folder(tmp_path):
    result = build(tmp_path / "a b", MIXED)
    text = markdown.document(result)
    assert str(tmp_path) not in text
    assert "`python reproduce.py table=larsd/2 budget=small outputs=outputs`" in text
    for cell, status in result.statuses.items():
        assert f"`outputs/cells/{cell}`" in text
        assert (f"hydra.run.dir=outputs/cells/{cell}" in text) == (status.record is not None)


def test_warnings_and_logs_hold_no_path_of_this_machine(tmp_path):
    lines = ('  File "/home/me/env/lib/python3.11/site-packages/torch/nn.py", line 3', "see https://pytorch.org/docs/x")
    failure = dataclasses.replace(FAILURE, lines=lines, reason="no folder /data/ships/HRSC2016: missing")
    result = build(tmp_path, {("Baseline", "SSDD"): (failure,)})
    warning = f"{tmp_path}/outputs/cells/0123456789ab/record.json: damaged"
    text = markdown.document(dataclasses.replace(result, warnings=(warning,)))
    assert "- ⚠ outputs/cells/0123456789ab/record.json: damaged" in text
    assert "no folder …/HRSC2016: missing" in text
    assert '      File "…/nn.py", line 3' in text
    assert "see https://pytorch.org/docs/x" in text
    assert "/home/" not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", r"a\|b"),
        ("<b>*x*_y_`z`", r"\<b\>\*x\*\_y\_\`z\`"),
        ("$x$ & [1]", r"\$x\$ &amp; \[1\]"),
        ("- item", r"\- item"),
        ("1. item", r"\1. item"),
        ("-5", "-5"),
        ("a\nb", "a b"),
        ("\x1b[1mbold\x1b[0m\x00", "bold"),
    ],
)
def test_escape(text, expected):
    assert markdown.escape(text) == expected


def test_code_with_backquotes_keeps_them(tmp_path):
    result = dataclasses.replace(build(tmp_path), command="python reproduce.py note='``x`'")
    assert "```python reproduce.py note='``x`'```" in markdown.document(result)


def test_what_the_budget_changed_is_a_list(tmp_path):
    section = "## Differs from the paper\n\n- model.optimizer: adamw, under budget=paper sgd\n"
    assert section in markdown.document(build(tmp_path, {("Baseline", "HRSC2016"): [80.0]}))


def test_notes_are_a_list(tmp_path):
    assert "## Notes\n\n- The paper does not say which AP it measures.\n" in markdown.document(build(tmp_path))
    without = YAML[: YAML.index("notes:")]
    assert "## Notes" not in markdown.document(build(tmp_path, text=without))
