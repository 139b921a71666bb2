"""Building a dataset from files that others published."""

import shlex
import sys

from omegaconf import DictConfig

from retable.run import environment
from retable.run.build import build


def prepare(config: DictConfig) -> None:
    """Lets the builder that the configuration names build its dataset.

    The builder brings ``build(about)``: what is built, and how, is the paper's own matter.

    Raises:
        ConfigError: A key has an impossible value.
        DataError: The published files are not there, incomplete or damaged.
        OSError: The output cannot be written.
    """
    about = {
        "command": shlex.join(["python", *sys.argv]),
        "versions": environment.package_versions(),
        "git": environment.git_state(),
    }
    build(config).build(about)
