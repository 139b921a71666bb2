"""The paper's network, Table I."""

from torch import Tensor, nn

from retable.errors import ConfigError
from retable.papers.emoji.schema import PaperNetworkConfig


class PaperNetwork(nn.Module):
    """Four 2 x 2 convolutions, each with ReLU, 2 x 2 max pooling and dropout, and a dense layer of eight (Table I).

    The paper leaves open: the input size; the padding of the convolutions (here none, Keras' default); what is between
    the last dropout and the dense layer (here all values of the maps, as Keras' Flatten); the initial weights (here
    Glorot's uniform ones and zero biases, Keras' default).

    Raises:
        ConfigError: There are no convolutions, or nothing is left of an image of this size.
    """

    def __init__(self, config: PaperNetworkConfig, input_size: int, classes: int) -> None:
        super().__init__()
        if not config.filters:
            raise ConfigError("model.network.filters=[]: must be one convolution or more")
        side, channels = input_size, 3
        layers: list[nn.Module] = []
        for width in config.filters:
            layers += [nn.Conv2d(channels, width, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(config.dropout)]
            side, channels = (side - 1) // 2, width
        if side < 1:
            raise ConfigError(f"model.input_size={input_size}: nothing is left after {len(config.filters)} poolings")
        self.features = nn.Sequential(*layers)
        self.output = nn.Linear(channels * side * side, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Classifies images (B, 3, S, S) in [0, 1]; returns logits (B, classes), the softmax is the loss's."""
        maps: Tensor = self.features(images)
        logits: Tensor = self.output(maps.flatten(1))
        return logits
