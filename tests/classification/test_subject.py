import ast
from pathlib import Path
from typing import Any

import pytest

import retable.classification
from retable.classification.subject import ClassList
from retable.errors import ConfigError


def test_titles_and_captions_are_made_of_names() -> None:
    classes = ClassList(("two_lines", "one_line"))
    assert classes.titles == classes.captions == ("two lines", "one line")
    assert ClassList(("a", "b"), ("A", "B")).captions == ("A", "B")
    assert len(classes) == 2


@pytest.mark.parametrize(
    "words", [(("a",),), (("a", "b", "a"),), (("a", "b"), ("A",)), (("a", "b"), (), (), {"half": "a"})]
)
def test_lists_that_are_none_are_told(words: tuple[Any, ...]) -> None:
    with pytest.raises(ConfigError, match=r"classes a.*: must be two or more, each once, with a title each"):
        ClassList(*words)


def test_classifiers_know_no_paper() -> None:
    for path in Path(retable.classification.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert not str(node.module).startswith("retable.papers"), path
