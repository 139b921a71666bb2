"""Image processing alone: the proposals, in the order of how much they look like plates."""

from torch import Tensor, nn

from retable.errors import ConfigError
from retable.nn.fitting import NothingToFit
from retable.papers.plates.rivals.detector import ProposalDetector
from retable.papers.plates.rivals.schema import RivalConfig


class ImageProcessingDetector(NothingToFit, ProposalDetector):
    """Proposals with the scores of `retable.papers.plates.rivals.appearance`; nothing is learnt."""

    kind = "detector by image processing alone"
    weights_origin = "scratch"
    published_time = "the paper's Table III: 250 ms a photo by image processing"

    def __init__(self, config: RivalConfig) -> None:
        super().__init__(config)
        self.network = nn.Identity()

    def judge(self, image: Tensor, boxes: Tensor, scores: Tensor) -> Tensor:
        """Returns the scores as they are."""
        return scores

    def example_input(self) -> Tensor:
        """Tells that there is no network.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError("run: image processing alone has no network that could be exported")
