"""What the folder of a stranger's run may name."""

import sys
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from retable.errors import ConfigError
from retable.run.buildable import check_buildable
from retable.run.predict import stored_config

HOSTILE = [
    {"_target_": "os.system", "command": "touch hacked"},
    {"_target_": "retable.tables.runner.run", "command": ["touch", "hacked"]},
    {"_target_": "psutil.Popen", "args": ["touch", "hacked"]},
    {"_target_": "torch.load", "f": "evil.pt", "weights_only": False},
    {"_target_": "numpy.load", "file": "evil.npy", "allow_pickle": True},
    {"_target_": "joblib.load", "filename": "evil.pkl"},
    {"_target_": "torch.hub.load", "repo_or_dir": ".", "source": "local", "model": "evil"},
    {"_target_": "retable.files.write_text", "path": "hacked", "text": ""},
    {"_target_": "retable.papers.larsd.lightning_model.os.system"},
    {"_target_": ["os.system"]},
    {"_target_": {"_target_": "os.system"}},
]


def _places(node: dict[str, Any]) -> list[dict[str, Any]]:
    """A tree with the node at the top of a model, inside of it, in a list, and elsewhere."""
    honest = {"_target_": "retable.papers.larsd.lightning_model.LarsdModule"}
    return [
        {"model": node, "data": {}},
        {"model": {**honest, "network": node}, "data": {}},
        {"model": {**honest, "lr_step": [1, [node]]}, "data": {}},
        {"model": honest, "data": {"scenes": {"deep": node}}},
        {"model": honest, "data": {}, "callbacks": {"mine": node}},
    ]


@pytest.mark.parametrize("node", HOSTILE, ids=lambda node: str(node["_target_"]))
def test_what_nothing_declares_is_refused_before_it_is_imported(tmp_path: Path, node: dict[str, Any]) -> None:
    before = set(sys.modules)
    for tree in _places(node):
        OmegaConf.save(OmegaConf.create(tree), tmp_path / "config.yaml")
        with pytest.raises(ConfigError, match=r"config\.yaml: .*_target_: .* is not built, as no configuration"):
            stored_config(tmp_path)
    assert not {"joblib", "torch.hub"} & (set(sys.modules) - before)


@pytest.mark.parametrize(
    "text",
    [
        "model: {network: \"${oc.create:'{_target_: os.system}'}\"}\ndata: {}",
        "model: {network: \"\\\\${oc.create:'{_target_: os.system}'}\"}\ndata: {}",
        "model: {path: '${oc.env:HOME}'}\ndata: {}",
        "model: {list: [['${oc.env:HOME}']]}\ndata: {}",
    ],
)
def test_a_stored_configuration_has_no_interpolations(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match="an interpolation, which no run writes there"):
        stored_config(tmp_path)


def test_a_declared_class_is_refused_for_another_kind() -> None:
    optimizer = {"_target_": "torch.optim.Adam"}
    check_buildable({"model": {"optimizer": optimizer}}, Path("x"))
    with pytest.raises(ConfigError, match=r"x: data\._target_: torch\.optim\.Adam .* declares it as a data;"):
        check_buildable({"data": optimizer}, Path("x"))


def test_a_paper_folder_that_the_user_names_declares_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = {"model": {"_target_": "mine.Net"}}
    with pytest.raises(ConfigError, match=r"add papers=FOLDER"):
        check_buildable(tree, Path("x"))
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "net.yaml").write_text("_target_: mine.Net\n")
    monkeypatch.setenv("RETABLE_PAPERS", str(tmp_path))
    check_buildable(tree, Path("x"))
