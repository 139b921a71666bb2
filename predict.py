"""Uses what a run trained on your own images.

python predict.py run=outputs/runs/... input=photo.jpg output=found
python predict.py run=outputs/runs/... input=photos/ output=found score_threshold=0.4
"""

from omegaconf import DictConfig

from retable.run.command_line import main


def predict(config: DictConfig) -> None:
    """Predicts with a checked configuration; torch is imported only now."""
    from retable.run.predict import predict

    predict(config)


if __name__ == "__main__":
    main(predict, "predict")
