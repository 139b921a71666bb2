"""Building a dataset from files that others published."""

from omegaconf import DictConfig

from retable.errors import StoppedError
from retable.run import environment
from retable.run.build import build
from retable.run.command_line import command


def prepare(config: DictConfig) -> None:
    """Lets the builder that the configuration names build its dataset.

    The builder brings ``build(about)``: what is built, and how, is the paper's own matter.

    Raises:
        ConfigError: A key has an impossible value.
        DataError: The published files are not there, incomplete or damaged.
        OSError: The output cannot be written.
        StoppedError: It was interrupted.
    """
    about = {
        "command": command(),
        "versions": environment.package_versions(),
        "git": environment.git_state(),
    }
    try:
        build(config).build(about)
    except KeyboardInterrupt:
        raise StoppedError("interrupted; the same command goes on with what is missing") from None
