"""Mistakes on the command line of every entry point: exit code 2, one line, and what to type instead."""

import importlib
import random
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from tests import fuzz

from retable.run.words import problem

ENTRY_POINTS = {
    "train": [],
    "test": ["run=x"],
    "reproduce": ["status", "table=larsd/2"],
    "sweep": ["model=larsd", "space.model.lr=choice(1,2)"],
    "predict": ["run=x", "input=y"],
    "export": ["run=x"],
    "prepare": ["data=cityscapes_cars", "root=x", "output=y"],
}
"""What each needs, beside the mistake."""
PATH_KEY = {"train": "outputs", "test": "accelerator", "reproduce": "outputs", "sweep": "name", "prepare": "root"}

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """Calls an entry point in this process; returns exit code, output and what it told on standard error."""

    def run(name: str, *words: str) -> tuple[int, str, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *words])
        GlobalHydra.instance().clear()
        try:
            importlib.import_module(f"retable.commands.{name}").main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize(("name", "needed"), ENTRY_POINTS.items())
@pytest.mark.slow
def test_every_entry_point_tells_mistakes_in_one_line(
    call: Call, tmp_path: Path, name: str, needed: Sequence[str]
) -> None:
    key = PATH_KEY.get(name, "run")
    for word, told in (
        ("--model", "--model: what is set is written key=value here: model=VALUE"),
        ("--model=larsd", "--model=larsd: what is set is written key=value here: model=larsd"),
        (f"{key}=a=b", f"{key}=a=b: not every .* quote it for both readers: '{key}=\"a=b\"'"),
        (f"{key}=a#b", f"{key}=a#b: .*: '{key}=\"a#b\"'"),
        (f"{key}=a,b", f"{key}=a,b: several values; .*-m .* '{key}=.a,b.', one text '{key}=\"a,b\"'"),
        (f"{key}=it's", f"{key}=it's: .* quote it"),
        (f"{key}=[a", f"{key}=.a: .* close its bracket, or quote it"),
        (f'{key}="', f'{key}=": a quote that is not closed'),
        (f"{key}=${{x}}", f"{key}.*: there is no key 'x'; a dollar sign of the text itself is written"),
        (f"{key}=a\nb", f"{key}: a value is one line"),
    ):  # fmt: skip
        code, output, error = call(name, *(other for other in needed if not other.startswith(f"{key}=")), word)
        assert (code, output) == (2, ""), (word, error)
        assert re.fullmatch(rf"error: {told}.*\n", error), (word, error)
    assert not list(tmp_path.iterdir()), "nothing was begun"


@pytest.mark.parametrize(
    ("name", "words", "told"),
    [
        ("train", ["word"], "word: what is set is written key=value"),
        ("train", ["unheard_of=1"], "unheard_of: there is no such key; train.py --help lists the keys"),
        ("train", ["model.lr=abc"], "model.lr: 'abc' is not a number"),
        ("train", ["seed=-1"], "seed=-1: must be from 0 to"),
        ("train", ["seed=1.5"], "seed: '1.5' is not a whole number"),
        ("train", ["outputs="], "outputs: give the folder"),
        ("train", ["model=larsd", "data=emoji"], "data: it brings images of one class each, and the model"),
        ("train", ["model=emoji_cnn", "data=hrsd"], "data: it brings boxes in images, and the model learns"),
        ("train", ["model=dcgan", "data=hrsd"], "data: it brings boxes in images, and the model learns"),
        ("test", [], "run: no value; add run=VALUE"),
        ("test", ["unheard_of=1"], "run: no value; add run=VALUE"),
        ("predict", [], "run: no value; add run=VALUE"),
        ("predict", ["seed=-1"], "run: no value; add run=VALUE"),
        ("predict", ["run=x", "checkpoint=newest"], "checkpoint: 'newest' is not one of best, last"),
        ("export", [], "run: no value; add run=VALUE"),
        ("export", ["unheard_of=1"], "unheard_of: there is no such key; export.py --help lists the keys"),
        ("prepare", [], "output, root: no value; add output=VALUE root=VALUE"),
        ("prepare", ["unheard_of=1"], "unheard_of: there is no such key; prepare.py --help lists the keys"),
        ("sweep", ["unheard_of=1"], 'space: name a key to search, such as space.model.lr="log'),
        ("sweep", ["space.model.lr=choice(1"], "space.model.lr: 'choice(1' is none of log(a,b)"),
        ("reproduce", ["larsd/2"], "larsd/2: write table=larsd/2"),
        ("reproduce", ["stats", "table=larsd/2"], "stats: there is no such word; did you mean status?"),
        ("reproduce", ["table=larsd"], "table: larsd has 4: table=larsd/* for all, or larsd/1 or larsd/2"),
        ("reproduce", ["table=lasrd/2"], "table: there is no 'lasrd/2'; did you mean larsd/2?"),
        ("reproduce", ["table=larsd/2", "columns.X=data=ssdd", "data.root=PATH"],
         'columns.X=data=ssdd data.root=PATH: quote the overrides of a label together: columns.X="data=ssdd data'),
        ("reproduce", ["table=larsd/2", "outputs="], "outputs: give the folder"),
        ("reproduce", ["table=larsd/2", "retry=all"], "retry: 'all' is not one of none, failed"),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_mistakes_of_each(call: Call, tmp_path: Path, name: str, words: list[str], told: str) -> None:
    code, output, error = call(name, *words)
    assert (code, output) == (2, "")
    assert error.startswith(f"error: {told}"), error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ENTRY_POINTS)
@pytest.mark.slow
def test_help(call: Call, name: str) -> None:
    code, output, error = call(name, "--help")
    assert (code, error) == (0, "")
    assert f"python {name}.py" in output


@pytest.mark.parametrize(
    "value",
    ["a=b", "a#b", "a,b", "it's", 'say "x"', "(a", "{a", "~/x", "äö/ü.png", "a;b", "!x", "a]", 'a\\"'],
)
def test_what_is_to_be_typed_instead_is_the_value(value: str) -> None:
    told = problem(f"key.inner={value}")
    assert told is not None
    (word,) = shlex.split(re.split("readers: |one text ", told)[-1])
    override = OverridesParser.create().parse_override(word)
    assert (override.key_or_group, override.value()) == ("key.inner", value)


@fuzz.mark
def test_any_text_is_read_or_told_with_what_to_type_instead() -> None:
    letters = "ab1.,=#'\"[](){}$~!;:\\/ äé*%@+-_\t"
    parser = OverridesParser.create()
    for seed in range(fuzz.cases(150)):
        chance = random.Random(seed)
        value = "".join(chance.choice(letters) for _ in range(chance.randint(1, 8)))
        told = problem(f"key={value}")
        if told is None or "$" in value:  # what is read is Hydra's business, and so are interpolations
            continue
        assert told.startswith(f"key={value}: "), value
        if "quote that is not closed" not in told:
            (word,) = shlex.split(re.split("readers: |one text ", told)[-1])
            assert parser.parse_override(word).value() == value
