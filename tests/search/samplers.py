"""A sampler whose choices are known beforehand."""

from typing import Any

from optuna.samplers import BaseSampler


class InTurn(BaseSampler):
    """Takes the first choice in the first trial, the second in the second, and so on."""

    def __init__(self, **_: Any) -> None:
        pass

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        return {}

    def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
        return param_distribution.choices[trial.number % len(param_distribution.choices)]
