"""The grammar of what is searched."""

import math

import optuna
import pytest

from retable.errors import ConfigError
from retable.search.space import Choice, Real, Whole, examples, parse, suggest


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("log(1e-4,1e-1)", Real(1e-4, 1e-1, log=True)),
        ("uniform(-1, 2.5)", Real(-1.0, 2.5, log=False)),
        (" float(0,1) ", Real(0.0, 1.0, log=False)),
        ("int(1,4)", Whole(1, 4, 1)),
        ("int(-2,2)", Whole(-2, 2, 1)),
        ("int(2,11,4)", Whole(2, 10, 4)),  # 11 is not reached
        ("choice(a,b,c)", Choice(("a", "b", "c"))),
        ("choice([P2],[P2,P3])", Choice(("[P2]", "[P2,P3]"))),
        ("choice('a,b',{c:1,d:2})", Choice(("'a,b'", "{c:1,d:2}"))),
        ("choice(none,diamond-9)", Choice(("none", "diamond-9"))),
    ],
)
def test_reads(text: str, meaning: object) -> None:
    assert parse("model.key", text) == meaning


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0.1", "none of log"),
        ("lg(1,2)", "none of log"),
        ("log(1,2", "none of log"),
        ("", "none of log"),
        ("log(1)", "two ends, not 1"),
        ("uniform(1,2,3)", "two ends, not 3"),
        ("uniform(a,2)", "'a' is not a number"),
        ("uniform(0,inf)", "'inf' is not a number"),
        ("uniform(2,1)", "must be below"),
        ("log(1,1)", "must be below"),
        ("log(0,1)", "must be above 0, not 0"),
        ("log(-1,1)", "must be above 0, not -1"),
        ("int(1)", "two or three numbers, not 1"),
        ("int(1.5,4)", "'1.5' is not a whole number"),
        ("int(1,4,0)", "at least 1, not 0"),
        ("int(4,1)", "fewer than two values"),
        ("int(1,4,9)", "fewer than two values"),
        ("choice(a)", "two or more different values"),
        ("choice(a,a)", "two or more different values"),
        ("choice(a,,b)", "two or more different values"),
        ("choice(a,[b)", "is not closed"),
        ("choice(a,'b)", "is not closed"),
    ],
)
def test_refuses(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=r"^space\.model\.key: ") as told:
        parse("model.key", text)
    assert problem in str(told.value)


def test_suggests_what_the_command_line_takes() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    texts = {"a": "log(1e-4,1e-1)", "b": "uniform(-1,1)", "c": "int(3,9,3)", "d": "choice([P2],none)"}
    space = {key: parse(key, text) for key, text in texts.items()}
    drawn = [suggest(space, study.ask()) for _ in range(200)]
    logs = [math.log10(float(values["a"])) for values in drawn]
    assert -4 <= min(logs) < -3.8
    assert -1.2 < max(logs) <= -1
    assert abs(sum(logs) / len(logs) + 2.5) < 0.2  # decades are equally likely
    assert all(-1 <= float(values["b"]) <= 1 for values in drawn)
    assert {values["c"] for values in drawn} == {"3", "6", "9"}
    assert {values["d"] for values in drawn} == {"[P2]", "none"}


def test_examples_hold_every_end_and_every_choice() -> None:
    space = {"lr": parse("lr", "log(1,10)"), "n": parse("n", "int(1,4)"), "c": parse("c", "choice(a,b,c,d)")}
    found = examples(space)
    assert len(found) == 4
    assert {"1.0", "10.0"} < {values["lr"] for values in found}
    assert {values["n"] for values in found} == {"1", "4"}
    assert {values["c"] for values in found} == {"a", "b", "c", "d"}
