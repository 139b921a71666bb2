"""Image processing, AlexNet's features and a linear support vector machine."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from retable.detection.pretrained import PretrainedDetector
from retable.nn.backbones import PublishedNetwork, load_weights_alike
from retable.papers.plates.rivals.fitted import FittedDetector
from retable.papers.plates.rivals.schema import AlexNetSvmConfig

_DENSE_LAYERS = {"pool5": 0, "fc6": 3, "fc7": 6}  # of torchvision's AlexNet, with dropout and ReLU


class AlexNetFeatures(PublishedNetwork):
    """Outputs of a layer of AlexNet, each row of length 1. The weights are never trained.

    Args:
        layer: ``pool5`` (9,216 features of 224 x 224 pixels), ``fc6`` or ``fc7`` (4,096).
        input_size: Height and width in pixels of what is described.

    Attributes:
        width: Number of features.
    """

    def __init__(self, layer: str, input_size: tuple[int, int]) -> None:
        from torchvision.models import AlexNet, AlexNet_Weights  # type: ignore[import-untyped]

        super().__init__("alexnet", source=AlexNet_Weights.IMAGENET1K_V1.url)
        with torch.device("meta"):  # the layers that are not taken have 20 times the weights of the others
            self.body = AlexNet(dropout=0.0)
        self.body.classifier = self.body.classifier[: _DENSE_LAYERS[layer]]
        self.body.to_empty(device=torch.get_default_device())
        for part in self.body.modules():
            if hasattr(part, "reset_parameters"):
                part.reset_parameters()
        if layer == "pool5":
            self.body.avgpool = nn.Identity()  # of torchvision's own: it makes 6 x 6 places of what smaller inputs have
        self.body.requires_grad_(False)
        self.width = self.body(torch.zeros(1, 3, *input_size)).shape[1]

    def forward(self, images: Tensor) -> Tensor:
        """Describes images (N, 3, h, w) in [0, 1] by (N, width)."""
        return F.normalize(self.body(self.normalised(images)))


class AlexNetSvm(nn.Module):
    """The machine on the features. Its state is plain weights.

    Args:
        config: The options.

    Attributes:
        backbone: The features.
    """

    coefficients: Tensor
    fitted: Tensor

    def __init__(self, config: AlexNetSvmConfig) -> None:
        super().__init__()
        self.backbone = AlexNetFeatures(config.layer, config.input_size)
        self._regularisation = config.regularisation
        self.register_buffer("coefficients", torch.zeros(self.backbone.width + 1))
        self.register_buffer("fitted", torch.tensor(False))

    def features(self, patches: Tensor) -> Tensor:
        """Describes cut-out proposals (N, 3, h, w)."""
        described: Tensor = self.backbone(patches)
        return described

    def forward(self, patches: Tensor) -> Tensor:
        """Scores cut-out proposals (N, 3, h, w) in [0, 1]; returns (N,) from 0 to 1."""
        return (self.features(patches) @ self.coefficients[:-1] + self.coefficients[-1]).sigmoid()

    def fit(self, features: Tensor, labels: Tensor) -> None:
        """Fits the machine to rows (N, F) and labels (N,) of 1 and 0, then a logistic curve to its decisions."""
        from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
        from sklearn.svm import LinearSVC  # type: ignore[import-untyped]

        rows, classes = features.numpy(), labels.numpy()
        machine = LinearSVC(C=self._regularisation, class_weight="balanced", random_state=0).fit(rows, classes)
        decisions = machine.decision_function(rows)[:, None]
        curve = LogisticRegression().fit(decisions, classes)
        steepness = curve.coef_[0, 0]
        self.coefficients[:-1] = torch.from_numpy(steepness * machine.coef_[0])
        self.coefficients[-1] = float(steepness * machine.intercept_[0] + curve.intercept_[0])
        self.fitted.fill_(True)


class AlexNetSvmDetector(FittedDetector, PretrainedDetector):
    """The detector."""

    kind = "support vector machine"
    published_time = "the paper's Table III: 160 ms a photo by image processing, AlexNet and a support vector machine"
    config: AlexNetSvmConfig

    def __init__(self, config: AlexNetSvmConfig) -> None:
        super().__init__(config)
        self.network = AlexNetSvm(config)

    def on_fit_start(self) -> None:
        """Before a new training: AlexNet's weights.

        Raises:
            CheckpointError: Their file cannot be used.
        """
        if not self.is_fitted:
            load_weights_alike(self.network.backbone, self.config.weights, self.trainer.strategy)
