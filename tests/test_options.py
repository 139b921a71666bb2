from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from retable.errors import ConfigError
from retable.options import Options, check_ranges, option
from retable.run.build import build


@dataclass
class PartConfig(Options):
    share: float = option(0.5, least=0, below=1)


@dataclass
class NetworkConfig(Options):
    _target_: str = "tests.test_options.Network"
    _partial_: bool = True
    widths: list[int] = option([3, 4], least=1)


@dataclass
class ModelConfig(Options):
    _target_: str = "tests.test_options.Model"
    lr: float = option(1e-3, above=0)
    clip: float | None = option(None, above=0)
    kind: str = option("step", choices=("step", "cosine"))
    part: PartConfig = field(default_factory=PartConfig)
    network: Any = None
    counter: Any = None


class Network:
    def __init__(self, config: NetworkConfig, size: int) -> None:
        self.config, self.size = config, size


class Model:
    def __init__(self, config: "ModelConfig", seed: int) -> None:
        self.config, self.seed = config, seed


def composed() -> DictConfig:
    config = OmegaConf.create({"model": OmegaConf.structured(ModelConfig), "size": 7})
    config.model.network = OmegaConf.structured(NetworkConfig)
    config.model.counter = {"_target_": "collections.Counter", "_partial_": True}
    return config


def stored() -> DictConfig:
    """The same as a run's file has it: plain values without types."""
    return OmegaConf.create(OmegaConf.to_container(composed()))  # type: ignore[return-value]


@pytest.mark.parametrize("make", [composed, stored])
def test_a_class_gets_its_dataclass_with_nested_targets_built(make: Any) -> None:
    model = build(make().model, seed=3)
    assert isinstance(model, Model)
    assert model.seed == 3
    assert isinstance(model.config, ModelConfig)
    assert isinstance(model.config.part, PartConfig)
    assert isinstance(model.config.network, partial)
    network = model.config.network(size=5)
    assert (network.size, network.config) == (5, NetworkConfig())
    assert model.config.counter("aab")["a"] == 2


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("model.lr", 0, "model.lr=0.0: must be above 0"),
        ("model.lr", float("nan"), "model.lr=nan: must be above 0"),
        ("model.clip", -1, "model.clip=-1.0: must be above 0"),
        ("model.kind", "line", "model.kind=line: must be step or cosine"),
        ("model.part.share", 1, "model.part.share=1.0: must be from 0 to below 1"),
        ("model.network.widths", [8, 0], "model.network.widths=[8, 0]: each must be 1 or more"),
    ],
)
@pytest.mark.parametrize("make", [composed, stored])
def test_a_value_out_of_range_is_told_with_its_key(make: Any, key: str, value: Any, told: str) -> None:
    config = make()
    OmegaConf.update(config, key, value)
    with pytest.raises(ConfigError) as caught:
        build(config.model, seed=1)
    assert str(caught.value) == told
    if make is composed:
        with pytest.raises(ConfigError) as caught:
            check_ranges(config)
        assert str(caught.value) == told


def test_a_dataclass_made_in_python_is_checked_as_well() -> None:
    with pytest.raises(ConfigError, match="lr=-1: must be above 0"):
        ModelConfig(lr=-1)
    with pytest.raises(ConfigError, match=r"share=1\.5: must be from 0 to below 1"):
        PartConfig(share=1.5)


def test_an_unknown_key_of_a_stored_configuration_is_told() -> None:
    config = stored()
    config.model.rate = 1
    with pytest.raises(ConfigError, match="rate"):
        build(config.model, seed=1)


@pytest.mark.parametrize("target", ["nowhere.Model", "tests.test_options.Absent"])
def test_a_target_that_is_not_there_is_told(target: str) -> None:
    config = stored()
    config.model._target_ = target
    with pytest.raises(ConfigError, match=rf"model\._target_: {target} cannot be imported"):
        build(config.model, seed=1)


@dataclass
class BareConfig(Options):
    size: int = option(3, least=1)


class Bare:
    def __init__(self, config: BareConfig) -> None:
        self.config = config


def test_a_dataclass_need_not_name_its_class() -> None:
    node = OmegaConf.create({"_target_": "tests.test_options.Bare", "_partial_": True, "size": 5})
    assert build(node)().config == BareConfig(5)


def test_lists_are_not_shared_between_dataclasses() -> None:
    NetworkConfig().widths.append(9)
    assert NetworkConfig().widths == [3, 4]
