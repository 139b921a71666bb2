"""Writes the network of a run for use without Retable: a program of torch.export, and what goes in and comes out.

python export.py run=outputs/runs/...                            RUN/network.pt2 and RUN/network.json
python export.py run=outputs/runs/... output=detector.pt2

torch.export.load("detector.pt2").module() then is the network: tensors in, tensors out, for any batch size.
"""

from omegaconf import DictConfig

from retable.run import command_line


def main() -> None:
    """Runs ``export.py``."""
    command_line.main(_export, "export", __doc__)


def _export(config: DictConfig) -> None:
    from retable.run.export import export  # torch is imported only once the configuration is known to be sound

    export(config)


if __name__ == "__main__":
    main()
