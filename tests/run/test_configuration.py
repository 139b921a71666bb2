"""Configuration: every file composes, mistakes are one clear line, and the hash names what is computed."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from retable.errors import ConfigError
from retable.run.buildable import check_buildable
from retable.run.command_line import compose, differs_from_paper
from retable.run.composer import Composer
from retable.run.configuration import check_complete, check_run, config_hash, flatten, identity, nearest, plain
from retable.run.places import CONFIGURATIONS

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

ROOT = Path(__file__).parents[2]
PEERS = ("barcode_opencv", "barcode_pyzbar", "barcode_zxing_cpp")


def _options(group: str) -> list[str]:
    return sorted(path.stem for path in (CONFIGURATIONS / group).glob("*.yaml"))


def _data_of(model: str) -> str:
    known = {"larsd": "hrsd", "yolov2_resnet40": "plates", "emoji": "emoji", "plate": "plate_crops"}
    detectors = ("net", "image_processing", "alexnet_svm", "vgg_lstm", "neighbours", "cascade")
    known |= {f"plate_{name}": "plates" for name in detectors}
    known |= {"barcode_unet": "barcodes", **dict.fromkeys(("digits", "scanline", *PEERS), "barcode_symbols")}
    return known.get(model) or known.get(model.partition("_")[0], "cars")


def _model_of(data: str) -> str:
    known = {"emoji": "emoji_net", "cars": "dcgan", "plates": "yolov2_resnet40", "plate_crops": "plate_cnn"}
    known |= {"barcode_symbols": "digits_perceptron", "barcodes": "barcode_unet"}
    return known.get(data, "larsd")


def _needs(data: str) -> list[str]:
    return [f"data.root={ROOT}"] if data in ("ssdd", "dota") else []


@pytest.mark.parametrize(
    ("group", "option"),
    [(g, o) for g in ("trainer", "logger", "callbacks", "debug") for o in _options(g)],
)
def test_every_other_option_composes(group: str, option: str) -> None:
    config = compose("train", [f"{group}={option}", "hydra=quiet"])
    check_run(config)
    check_buildable(plain(config), Path(option))


@pytest.fixture(scope="module")
def budgets() -> dict[str, Any]:
    """The node of each budget; a budget does nothing but give the sizes that other files refer to."""
    return {name: compose("train", [f"budget={name}", "hydra=quiet"]).budget for name in _options("budget")}


def _sizes(tree: dict[str, Any]) -> set[str]:
    """Named sizes of a budget; a choice of lists of them counts once."""
    return {key for key, _ in flatten(tree)} - {"name"}


def test_all_budgets_name_the_same_sizes_and_each_is_used(budgets: dict[str, Any]) -> None:
    names = _sizes(plain(budgets["paper"]))
    assert all(_sizes(plain(sizes)) == names for sizes in budgets.values())
    files = [path for path in CONFIGURATIONS.rglob("*.yaml") if path.parent.name != "budget"]
    used = set(re.findall(r"\$\{budget\.([\w.]+)\}", "".join(path.read_text() for path in files)))
    assert used == names


@pytest.mark.parametrize(("group", "option"), [(group, o) for group in ("model", "data") for o in _options(group)])
def test_every_model_and_dataset_composes_and_its_copy_keeps_its_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budgets: dict[str, Any], group: str, option: str
) -> None:
    (tmp_path / "conf" / group).mkdir(parents=True)
    shutil.copy(CONFIGURATIONS / group / f"{option}.yaml", tmp_path / "conf" / group / "my_copy.yaml")
    monkeypatch.setenv("RETABLE_PAPERS", str(tmp_path))
    other = f"data={_data_of(option)}" if group == "model" else f"model={_model_of(option)}"
    words = [other, "hydra=quiet", *_needs(option)]
    original, copy = (compose("train", [f"{group}={name}", *words]) for name in (option, "my_copy"))
    for name, sizes in budgets.items():
        original.budget = copy.budget = sizes
        check_run(original)
        assert original.budget.name == name
        assert identity(copy) == identity(original)
    check_buildable(plain(original), Path(option))  # what is declared, a stored run may build


def test_a_budget_is_sizes_and_nothing_else(budgets: dict[str, Any]) -> None:
    for name, sizes in budgets.items():
        swapped = compose("train", ["hydra=quiet"])
        swapped.budget = sizes
        assert plain(swapped) == plain(compose("train", [f"budget={name}", "hydra=quiet"]))


def test_what_a_budget_changes_is_known() -> None:
    config = compose("train", ["model=larsd", "model.lasa=none", "hydra=quiet"])
    found = differs_from_paper(config, ["model=larsd", "model.lasa=none"])
    assert found["model.optimizer"] == ["adamw", "sgd"]
    assert found["data.image_size"] == [128, 512]
    assert "model.lasa" not in found
    assert "seed" not in found
    paper = compose("train", ["model=larsd", "budget=paper", "hydra=quiet"])
    assert differs_from_paper(paper, ["model=larsd", "budget=paper"]) == {}


def test_paper_budget_is_the_papers_schedule() -> None:
    config = compose("train", ["budget=paper", "hydra=quiet"])
    assert config.trainer.max_steps == 90_000
    model = config.model
    assert (model.lr, model.momentum, model.weight_decay) == (1e-3, 0.9, 1e-4)
    assert (model.schedule, model.lr_step, model.lr_factor, model.warmup) == ("step", 10_000, 0.1, 0)
    assert (model.backbone, model.weights) == ("resnet101", "imagenet")
    assert config.data.image_size == 512
    assert dict(config.data.counts) == {"train": 1249, "val": 424, "test": 824}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["model=plate_net", "data=plate_crops"],
            "data.scene_size: model=plate_net and data=plate_crops do not go together",
        ),
        (["model.lrr=1"], "model.lrr: there is no such key; did you mean model.lr?"),
        (["trainer.devicess=2"], "trainer.devicess: there is no such key; did you mean trainer.devices?"),
        (["data.counts.trian=2"], "data.counts.trian: there is no such key; did you mean data.counts.train?"),
        (["model.lr=abc"], "model.lr: 'abc' is not a number"),
        (["model.channels=1.5"], "model.channels: '1.5' is not a whole number"),
        (["compile=perhaps"], "compile: 'perhaps' is neither true nor false"),
        (["logger.mode=onlin"], "logger.mode: 'onlin' is not one of offline, online"),
        (["data.augment.scale=2"], "data.augment.scale: a list is needed"),
        (["data=hrds"], "data: there is no 'hrds'; did you mean hrsd?"),
        (["budget=tiny"], "budget: there is no 'tiny'; choose one of paper, small, smoke"),
        (["model={"], "model={: not every character can stand by itself; close its bracket, or quote it"),
    ],
)
def test_mistakes_are_one_line(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compose("train", [*overrides, "hydra=quiet"])
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data=ssdd"], "data.root: no value; add data.root=VALUE"),
        (["data.root=/does/not/exist"], "data.root: there is no folder /does/not/exist"),
        (["+model.new=1"], "model.new: there is no such key"),
        (["+trainer.max_epoch=1"], "trainer.max_epoch: there is no such key; did you mean trainer.max_epochs?"),
        (["outputs="], "outputs: give the folder"),
        (["trainer.max_epochs=0"], "trainer.max_epochs must be at least 1"),
        (["trainer.max_epochs=null"], "trainer.max_epochs has no value"),
    ],
)
def test_gaps_are_told_before_anything_starts(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_run(compose("train", [*overrides, "hydra=quiet"]))
    assert str(caught.value).startswith(message)


def test_hash_leaves_out_paths_loggers_and_devices() -> None:
    composer = Composer()

    def hashed(*overrides: str) -> str:
        return config_hash(composer.compose([*overrides, "hydra=quiet"]))

    plain_run = hashed()
    same = ("outputs=x", "logger=none", "logger.project=y", "trainer=cpu", "trainer=ddp", "data.workers=3", "tags=[a]")
    for override in (*same, "resume=auto", "trainer.enable_progress_bar=false"):
        assert hashed(override) == plain_run, override
    others = ("seed=2", "model.lr=0.5", "budget=smoke", "data=hrsc2016", f"data.root={ROOT}", "trainer.max_epochs=99")
    for override in (*others, "callbacks=ema", "trainer.precision=bf16-mixed"):
        assert hashed(override) != plain_run, override
    assert hashed(f"data.root={ROOT}") == hashed(f"data.root={ROOT.parent}")
    assert identity(compose("train", [f"data.root={ROOT}", "hydra=quiet"]))["data.root"] == "given"


def test_nearest() -> None:
    assert nearest("lrr", ["lr", "levels"]) == "lr"
    assert nearest("zzz", ["lr", "levels"]) is None


def test_every_group_folder_is_in_a_primary_file() -> None:
    named: set[str] = set()
    for name in ("train", "reproduce", "sweep", "predict"):
        primary = OmegaConf.load(CONFIGURATIONS / f"{name}.yaml")
        keys = [str(key) for entry in primary.defaults if not isinstance(entry, str) for key in entry]
        named |= {key.removeprefix("optional ").split("@")[0].split("/")[0] for key in keys}
    # prepare.py has its primary file and groups in a folder of its own; schedules come with data and models
    assert {path.name for path in CONFIGURATIONS.iterdir() if path.is_dir()} == named | {"prepare", "schedule"}
    assert {path.name for path in (CONFIGURATIONS / "prepare").iterdir()} == {"prepare.yaml", "data"}


@pytest.mark.parametrize("data", _options("prepare/data"))
def test_every_builder_composes(data: str) -> None:
    missing = OmegaConf.missing_keys(compose("prepare/prepare", [f"data={data}"]))
    assert missing <= {"root", "output"}
    config = compose("prepare/prepare", [f"data={data}", *(f"{key}=a" for key in missing)])
    check_complete(config)
    assert config.output == "a"
    assert plain(config)["_target_"].startswith("retable.")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data=cityscapes_car"], "data: there is no 'cityscapes_car'; did you mean cityscapes_cars?"),
        (["min_confidance=1"], "min_confidance: there is no such key; did you mean min_confidence?"),
        (["unheard_of=1"], "unheard_of: there is no such key; prepare.py --help lists the keys"),
        (["form=grey"], "form: 'grey' is not one of rgb, rgba"),
    ],
)
def test_mistakes_of_a_builder_are_one_line(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compose("prepare/prepare", overrides)
    assert str(caught.value).startswith(message)
