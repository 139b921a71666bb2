"""Uses what a run trained: on your own images, or, of a generator, for new ones.

python predict.py run=outputs/runs/... input=photo.jpg output=found
python predict.py run=outputs/runs/... input=photos/ output=found score_threshold=0.4
python predict.py run=outputs/runs/... n=64 seed=1 output=samples     a generator's samples, a grid, walks between them
"""

from omegaconf import DictConfig

from retable.run.command_line import main


def predict(config: DictConfig) -> None:
    """Predicts with a checked configuration; torch is imported only now."""
    from retable.run.predict import predict

    predict(config)


if __name__ == "__main__":
    main(predict, "predict")
