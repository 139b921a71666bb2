"""The finished table for Weights & Biases: one run of job type ``table`` with the numbers, the verdicts, the report."""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from retable.files import write_text
from retable.tables.report import claim_lines
from retable.tables.results import TableResult

log = logging.getLogger(__name__)


def log_tables(done: Sequence[tuple[TableResult, Path]], outputs: Path, mode: str) -> None:
    """Logs finished tables, each once: ``wandb.json`` beside a report says what has been logged of it.

    A failure of W&B is a warning, as the report is there all the same.

    Args:
        done: Tables with the folders of their reports.
        outputs: Folder in which W&B keeps its files (``wandb/``).
        mode: ``offline`` or ``online``.
    """
    for result, folder in done:
        try:
            _log_once(result, folder, outputs, mode)
        except Exception as error:
            log.warning("W&B did not take the table: %s: %s", type(error).__name__, error)


def _log_once(result: TableResult, folder: Path, outputs: Path, mode: str) -> None:
    digest = hashlib.sha256((folder / "report.md").read_bytes()).hexdigest()
    logged = folder / "wandb.json"
    if logged.exists() and json.loads(logged.read_text(encoding="utf-8")).get("report") == digest:
        return
    import wandb

    table = result.table
    run = wandb.init(
        project="retable",
        group=table.name,
        job_type="table",
        name=f"{table.name} {result.budget}",
        tags=[table.name, result.budget],
        dir=outputs,
        mode="online" if mode == "online" else "offline",
        config={"table": table.name, "budget": result.budget, "seeds": list(result.seeds)},
        settings=wandb.Settings(silent=True, console="off"),
    )
    run.log({"table": numbers(result), "claims": verdicts(result)})
    report = wandb.Artifact(f"report-{table.name.replace('/', '-')}-{result.budget}", type="report")
    for path in sorted({*folder.glob("report.*"), *folder.glob("*.csv")}):
        report.add_file(str(path))
    run.log_artifact(report)
    run.finish()
    write_text(logged, json.dumps({"id": run.id, "report": digest}) + "\n")


def numbers(result: TableResult) -> object:
    """The table as a ``wandb.Table``: one line for each row and column."""
    import wandb

    lines = []
    for (row, column), entry in result.entries.items():
        ours = entry.summary
        kinds = ", ".join(sorted({str(data.get("kind")) for data in result.provenance[column]}))
        lines.append([row, column, kinds, entry.printed, ours.mean, ours.std, ours.low, ours.high, ours.n])
    return wandb.Table(["row", "column", "data", "paper", "ours", "std", "low95", "high95", "seeds"], lines)


def verdicts(result: TableResult) -> object:
    """The claims as a ``wandb.Table``: one line for each."""
    import wandb

    lines = []
    for line in claim_lines.claim_lines(result):
        claim, verdict = line.result.claim, line.result.judgement
        lines.append([claim.text, claim.says, verdict.verdict.value, line.summary, verdict.p_adjusted, verdict.reason])
    return wandb.Table(["claim", "the paper says", "verdict", "difference", "p (Holm)", "reason"], lines)
