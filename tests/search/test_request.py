"""What sweep.py is asked: whose word is whose, and what is refused before anything starts."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from retable.errors import ConfigError
from retable.run.command_line import compose
from retable.search import monitor, request
from retable.search.request import Request, divide
from retable.search.schema import Direction

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

ROOT = Path(__file__).parents[2]
LR = "space.model.lr=log(1e-4,1e-1)"


def _read(*words: str) -> Request:
    divided = divide(words)
    return request.read(compose("sweep", list(divided.own)), divided)


def test_tells_words_apart() -> None:
    words = divide(["model=larsd", "n_trials=3", LR, "+sampler.multivariate=true", "budget=smoke", "seed=2", "-h"])
    assert words.own == ("n_trials=3", "+sampler.multivariate=true", "seed=2", "-h")
    assert words.space == (("model.lr", "log(1e-4,1e-1)"),)
    assert words.overrides == ("model=larsd", "budget=smoke")


def test_a_trial_is_a_command_in_a_folder_of_its_own(tmp_path: Path) -> None:
    asked = _read("budget=smoke", LR, "seed=4", f"outputs={tmp_path / 'my outputs'}", "trainer.devices=2")
    job = asked.job(7, {"model.lr": "0.01"})
    assert job.folder == asked.folder / "trials" / "7"
    assert job.devices == 2
    assert job.command[:2] == (sys.executable, str(ROOT / "train.py"))
    trial = compose("train", [word for word in job.command[2:] if not word.startswith("hydra.")])
    assert trial.model.lr == 0.01
    assert trial.seed == 4
    assert trial.budget.name == "smoke"
    assert trial.outputs == str(tmp_path / "my outputs")
    assert trial.logger.csv


def test_the_command_line_of_a_trial_composes() -> None:
    asked = _read("model=larsd", "+tags=[a b]", LR, "space.model.levels=choice([P2],[P2,P3])", "seed=4")
    words = shlex.split(asked.command({"model.lr": "1e-05", "model.levels": "[P2,P3]"}))
    assert words[:2] == ["python", "train.py"]
    config = compose("train", words[2:])
    assert (config.model.lr, list(config.model.levels), config.seed) == (1e-5, ["P2", "P3"], 4)


def test_the_default_name_changes_with_what_is_fixed_or_searched() -> None:
    same = [[LR], [LR, "n_trials=99", "pruning=false"], ["engine.workers=1", "space.model.lr=log( 1e-4, 1e-1)"]]
    others = [[LR, "seed=2"], [LR, "budget=smoke"], ["space.model.lr=log(1e-4,1)"], [LR, "metric=val/ap75"]]
    names = [_read(*words).name for words in (*same, *others)]
    assert len(set(names[:3])) == 1
    assert len(set(names[2:])) == 5
    assert all(name.startswith("larsd-hrsd-") for name in names)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["model=larsd"], "space: name a key"),
        (["space=3"], "space: name a key"),
        (["space.model.lrr=log(1e-4,1)"], "model.lrr: there is no such key; did you mean model.lr?"),
        (["space.model.lr=log(1)"], "space.model.lr: log"),
        (["space.model.lr=choice(1e-3,fast)"], "model.lr: 'fast' is not a number"),
        (["space.trainer.max_epochs=int(0,4)"], "trainer.max_epochs must be at least 1, not 0"),
        (["space.trainer.max_epochs=uniform(1,4)"], "trainer.max_epochs: '1.0' is not a whole number"),
        (["space.model=choice(larsd,lars)"], "model: there is no 'lars'; did you mean larsd?"),
        (["space.model.levels=choice([P2],P3)"], "model.levels: a list is needed"),
        ([LR, "model.lr=1"], "model.lr: both fixed and searched"),
        ([LR, LR], "space.model.lr: given twice"),
        ([LR, "resume=auto"], "resume: "),
        ([LR, "hydra.run.dir=x"], "hydra.run.dir: "),
        (["space.seed=int(1,4)"], "space.seed: seed is a key of sweep.py"),
        (["space.a b=int(1,4)"], "space.a b: 'a b' is no key"),
        ([LR, "n_trails=3"], "n_trails: there is no such key; did you mean n_trials?"),
        ([LR, "n_trials=0"], "n_trials must be at least 1, not 0"),
        ([LR, "n_trials=x"], "n_trials: 'x' is not a whole number"),
        ([LR, "metric=test/ap50_voc12"], "metric: 'test/ap50_voc12' is no validation metric"),
        ([LR, "direction=up"], "direction: 'up' is not one of higher, lower"),
        ([LR, "name=a/b"], "name: 'a/b' cannot name a folder"),
        ([LR, "program=nothing.py"], "program: there is no file"),
        ([LR, "budget=smok"], "budget: there is no 'smok'"),
        ([LR, "data=ssdd", "data.root=/nowhere"], "data.root: there is no folder /nowhere"),
        ([LR, "engine=cloud"], "engine: there is no 'cloud'"),
    ],
)
def test_refuses_before_anything_starts(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as told:
        _read(*words)
    assert str(told.value).startswith(message)


def test_a_mistyped_key_is_told_at_once_and_without_torch(tmp_path: Path) -> None:
    code = "import sys, runpy; sys.argv[0] = 'sweep.py'\ntry: runpy.run_path({!r}, run_name='__main__')\n"
    code += "finally: print('torch' in sys.modules, 'optuna' in sys.modules)"
    words = ["space.model.lrr=log(1e-4,1)", f"outputs={tmp_path}"]
    told = subprocess.run(
        [sys.executable, "-c", code.format(str(ROOT / "sweep.py")), *words], capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert told.stderr == "error: model.lrr: there is no such key; did you mean model.lr?\n"
    assert told.stdout == "False False\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_explains_itself(words: list[str]) -> None:
    told = subprocess.run([sys.executable, str(ROOT / "sweep.py"), *words], capture_output=True, text=True, check=False)
    assert told.returncode == 0
    for part in ("space.model.lr=", "choice(a,b,c)", "n_trials: 20", "MedianPruner", "never by the test"):
        assert part in told.stdout


def test_asks_the_model_what_it_is_judged_by(tmp_path: Path) -> None:
    (tmp_path / "light.py").write_text(
        "class Whole:\n"
        "    monitor, monitor_mode = 'val/a', 'max'\n"
        "    metric_info = {'a': ('', 'higher'), 'b': ('', 'lower'), 'c': ('', 'none')}\n"
        "class Other:\n"
        "    monitor, monitor_mode = 'val/b', 'min'\n"
        "class Silent:\n"
        "    monitor = property(lambda self: 'val/a')\n"
    )

    def ask(*models: str, metric: str | None = None, direction: Direction | None = None) -> tuple[str, str]:
        return monitor.metric_of([f"light.{name}" for name in models], tmp_path / "program.py", metric, direction)

    assert ask("Whole") == ("val/a", "higher")
    assert ask("Whole", metric="val/b") == ("val/b", "lower")
    assert ask("Whole", direction=Direction.lower) == ("val/a", "lower")
    assert ask("Silent", metric="val/x", direction=Direction.lower) == ("val/x", "lower")
    for models, metric, problem in (
        (["Whole"], "val/c", "direction: unknown for val/c; give direction=higher or direction=lower"),
        (["Silent"], None, "metric: no single monitor is named by light.Silent; give metric=val/NAME"),
        (["Other", "Whole"], None, "metric: no single monitor is named by light."),
        (["None"], None, "model._target_: light.None cannot be imported: "),
    ):
        with pytest.raises(ConfigError) as told:
            ask(*models, metric=metric)
        assert str(told.value).startswith(problem)


def test_larsd_says_what_it_is_judged_by() -> None:
    model = str(compose("train", ["model=larsd"]).model._target_)
    assert monitor.metric_of([model], ROOT / "train.py", None, None) == ("val/ap50_voc12", "higher")
