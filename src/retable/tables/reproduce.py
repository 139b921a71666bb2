"""``reproduce.py``: lists tables, runs what is missing of them, writes their reports."""

import contextlib
import re
import shlex
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from retable.errors import CellsError, ConfigError, StoppedError
from retable.run import places
from retable.run.command_line import command
from retable.run.overrides import quote, quote_list
from retable.tables import display, report, results, schedule, second_look, spec
from retable.tables.cells import Cell, Place, Planner
from retable.tables.engines import Job
from retable.tables.report import index, standing
from retable.tables.report.standing import Standing
from retable.tables.results import TableResult
from retable.tables.schema import ReproduceConfig
from retable.tables.second_look import SecondLook
from retable.tables.spec import Table
from retable.tables.store import State, Status, Store
from retable.tables.yaml_lines import hint

BUDGETS = ("smoke", "small", "paper")
_ACTIONS = ("run", "status", "report")
_LISTS = ("table", "only", "seeds")
_LABELLED = ("rows", "columns")
_NAMED = 6  # stale cells that are named, of those that the same changes concern
_SEEDS = 3
_Plan = dict[Place, Cell]
_OWN = tuple(part.name for part in fields(ReproduceConfig))


def words(arguments: Sequence[str]) -> list[str]:
    """Words of the command line in Hydra's grammar.

    ``status`` becomes ``action=status``; commas of ``table=``, ``only=`` and ``seeds=`` make lists; ``overrides=`` is
    quoted, as Hydra would read its equals signs; ``rows.LABEL=`` and ``columns.LABEL=``, whose labels may hold spaces,
    become the lists ``rows=`` and ``columns=`` of ``LABEL=OVERRIDES``.

    Raises:
        ConfigError: A table is named without its key, or the overrides of a label are not quoted together.
    """
    found = []
    labelled: dict[str, list[str]] = {}
    for before, word in zip(["", *arguments], arguments, strict=False):
        key, equals, value = word.partition("=")
        kind, dot, label = key.partition(".")
        if word in _ACTIONS:
            found.append(f"action={word}")
        elif re.fullmatch(r"[\w-]+/[\w*-]+", word):
            raise ConfigError(f"{word}: write table={word}")
        elif not equals and word.isalpha():
            raise ConfigError(f"{word}: there is no such word{hint(word, _ACTIONS)}; all else is written key=value")
        elif before.partition(".")[0] in _LABELLED and kind.lstrip("+~") not in (*_OWN, "hydra"):
            raise ConfigError(f"{before} {word}: quote the overrides of a label together: {_quoted(before, word)}")
        elif equals and dot and kind in _LABELLED:
            labelled.setdefault(kind, []).append(f"{label}={value}")
        elif equals and key in _LISTS and not value.startswith(("[", "'", '"')):
            parts = [part.strip() for part in value.split(",")]
            found.append(f"{key}={quote(parts[0]) if len(parts) == 1 else quote_list(parts)}")
        elif equals and key == "overrides":
            found.append(f"{key}={quote(value)}")
        else:
            found.append(word)
    return found + [f"{kind}={quote_list(parts)}" for kind, parts in labelled.items()]


def _quoted(first: str, second: str) -> str:
    key, _, value = first.partition("=")
    return f'{key}="{value} {second}"'


def reproduce(config: DictConfig) -> None:
    """Does what a checked configuration of ``conf/reproduce.yaml`` asks.

    Raises:
        ConfigError: A table file, an override or a choice is wrong; nothing has been started.
        CellsError: Cells have failed; all others are done.
        StoppedError: It was interrupted.
    """
    store = Store(Path(config.outputs), accept_stale=config.stale.name == "accept")
    planner = Planner()
    if config.table is None:
        if config.action.name == "report" and config.only is None:
            _index(config, store, planner)
            return
        if config.action.name != "run" or config.only is not None:
            first = next(iter(spec.files()), "paper/1")
            paper = first.partition("/")[0]
            raise ConfigError(f"table: name one, such as table={first}, or several: table={paper}/*")
        _list(store, planner)
        return
    request = _read(config, store, planner)
    if config.dry_run:
        for job in request.jobs.values():
            print(shlex.join(job.command))
        return
    failed = _run(config, request) if config.action.name == "run" else []
    if config.add_seeds is not None and config.action.name == "run" and not failed and _add_seeds(config, request):
        request = _read(config, store, planner)
        failed = _run(config, request)
    done = _finish(config, request)
    if failed:
        raise CellsError(
            f"{len(failed)} of {len(request.jobs)} cells failed (listed above and in the report); the same command "
            "with retry=failed tries them again"
        )
    if config.action.name == "run" and config.wandb.name != "none" and done:
        from retable.tables.wandb_table import log_tables

        log_tables(done, store.outputs, config.wandb.name)


@dataclass(frozen=True)
class _Asked:
    """A table that is asked for.

    Attributes:
        table: The table, with rows and columns of the command line.
        plan: Its cells.
        seeds: Its seeds, those of a second look last.
        look: The second look that was planned for it, if there is one.
    """

    table: Table
    plan: _Plan
    seeds: list[int]
    look: SecondLook | None


@dataclass(frozen=True)
class _Request:
    """What is asked, read and composed.

    Attributes:
        asked: The tables.
        jobs: What to run for each distinct cell that is wanted, by its id, in the order to run them in.
        store: Where they are.
    """

    asked: list[_Asked]
    jobs: dict[str, Job]
    store: Store


def _asked(config: DictConfig, planner: Planner, tables: Sequence[Table]) -> list[_Asked]:
    """The tables that are asked for, given as their files have them."""
    rows, columns = (dict(part.split("=", 1) for part in config[kind]) for kind in _LABELLED)
    tables = [spec.extend(table, rows, columns) for table in tables]
    if config.select is not None:
        tables = [replace(table, shared=config.select.name == "shared") for table in tables]
    extra = spec.split(config.overrides, "overrides")
    found = []
    for table in tables:
        seeds = _seeds(config.seeds, config.budget.name, table)
        plan = planner.plan(table, config.budget.name, seeds, extra)
        look = second_look.read(_folder(config, table))
        if look is not None and look.of == second_look.name_of(plan.values()):
            plan |= second_look.extended(look, planner.plan(table, config.budget.name, look.added, extra))
            found.append(_Asked(table, plan, [*seeds, *look.added], look))
        else:
            found.append(_Asked(table, plan, seeds, None))
    return found


def _read(config: DictConfig, store: Store, planner: Planner) -> _Request:
    names = config.table if isinstance(config.table, ListConfig) else [config.table]
    asked = _asked(config, planner, spec.find([str(name) for name in names]))
    planner.save()
    all_seeds = list(dict.fromkeys(seed for one in asked for seed in one.seeds))
    chosen = _only(config.only, [one.table for one in asked], all_seeds)
    uses: dict[str, list[tuple[Table, str, Cell]]] = {}
    # all rows of one seed before the next seed, so that an unfinished table can be read
    for seed in all_seeds:
        for one in asked:
            for (row, column, place_seed), cell in one.plan.items():
                if place_seed == seed and chosen(row, column, seed):
                    if cell.of is not None:
                        uses.setdefault(cell.of.id, []).append((one.table, one.table.rows[row].of, cell.of))
                    uses.setdefault(cell.id, []).append((one.table, row, cell))
    program = Path(config.program).absolute() if config.program else places.program("train")
    jobs = {key: _job(of_cell, store, program) for key, of_cell in uses.items()}
    return _Request(asked, jobs, store)


def _seeds(given: Any, budget: str, table: Table) -> list[int]:
    if given is None:
        given = 1 if budget == "smoke" else table.seeds or _SEEDS
    seeds = list(given) if isinstance(given, ListConfig) else list(range(1, given + 1)) if type(given) is int else []
    if not seeds or any(type(seed) is not int or seed < 0 for seed in seeds) or len(set(seeds)) < len(seeds):
        raise ConfigError(f"seeds: a number of seeds such as 3, or a list such as [1,5,9] is needed, not {given}")
    return seeds


def _only(given: Any, tables: Sequence[Table], seeds: Sequence[int]) -> Any:
    """Whether a row, column and seed are among those that ``only`` leaves, as a function."""
    allowed: dict[str, set[str]] = {}
    known = {
        "row": [row for table in tables for row in table.rows],
        "column": [column for table in tables for column in table.columns],
        "seed": [str(seed) for seed in seeds],
    }
    for word in [] if given is None else given if isinstance(given, ListConfig) else [given]:
        kind, _, label = str(word).partition(":")
        if kind not in known or not label:
            raise ConfigError(f"only: {word!r} is none of row:LABEL, column:LABEL, seed:N")
        if label not in known[kind]:
            raise ConfigError(f"only: there is no {kind} {label!r}{hint(label, known[kind])}")
        allowed.setdefault(kind, set()).add(label)

    def chosen(row: str, column: str, seed: int) -> bool:
        named = {"row": row, "column": column, "seed": str(seed)}
        return all(named[kind] in labels for kind, labels in allowed.items())

    return chosen


def _job(uses: Sequence[tuple[Table, str, Cell]], store: Store, program: Path) -> Job:
    table, row, cell = uses[0]
    names = list(dict.fromkeys(use.name for use, _, _ in uses))
    folder = store.folder(cell.id)
    logged = (f"logger.group={quote(table.name)}", f"logger.job_type={quote(row)}", f"tags={quote_list(names)}")
    if cell.of is not None:
        tested = (f"run={store.folder(cell.of.id)}", f"output={quote(str(folder))}", *cell.changes)
        words = (str(program.with_name("test.py")), *places.papers_word(), *tested, *logged)
        return Job(cell.id, folder, (sys.executable, *words), cell.devices, after=cell.of.id)
    placed = (f"outputs={quote(str(store.outputs))}", f"hydra.run.dir={quote(str(folder))}", "resume=auto")
    words = (str(program), *places.papers_word(), *cell.overrides, *placed, *logged)
    return Job(cell.id, folder, (sys.executable, *words), cell.devices)


def _run(config: DictConfig, request: _Request) -> list[str]:
    """Runs what is missing; returns the ids of the cells that failed, now or earlier."""
    statuses = {key: request.store.status(key) for key in request.jobs}
    final = {key: status.failure for key, status in statuses.items() if status.failure and not status.failure.transient}
    earlier = final if config.retry.name == "none" else {}
    missing = [key for key, status in statuses.items() if status.state is not State.done and key not in earlier]
    for warning in dict.fromkeys(status.warning for status in statuses.values() if status.warning):
        print(f"warning: {warning}", file=sys.stderr)
    tables, plans = [one.table for one in request.asked], [one.plan for one in request.asked]
    labels = _labels(plans)
    for note in _stale(statuses, labels):
        print(note)
    from retable.run.build import build

    engine = build(config.engine)
    threading.Thread(target=_warm_up, args=(config.wandb.name,), daemon=True).start()
    try:
        with display.live(tables, plans, request.store, labels, engine.workers) as show:
            progress = schedule.run([request.jobs[key] for key in missing], engine, request.store, show)
    except KeyboardInterrupt:
        _finish(config, request)
        raise StoppedError("interrupted; the same command does what is missing") from None
    failures = {**earlier, **progress.failed}
    for key, failure in failures.items():
        display.show_failure(labels[key], request.store.folder(key), failure, earlier=key in earlier)
    return list(failures)


def _labels(plans: Sequence[_Plan]) -> dict[str, str]:
    """What each cell is called, by its id: where it stands first."""
    return {
        cell.id: f"{row} in {column}, seed {seed}"
        for plan in plans
        for (row, column, seed), cell in reversed(plan.items())
    }


def _stale(statuses: Mapping[str, Status], labels: Mapping[str, str]) -> list[str]:
    """What to tell of cells whose code has changed since: a line for those of the same modules."""
    found: dict[tuple[str, ...], list[str]] = {}
    for key in labels:
        if key in statuses and statuses[key].stale:
            found.setdefault(statuses[key].stale, []).append(key)
    lines = []
    for modules, keys in found.items():
        accepted = all(statuses[key].state is State.done for key in keys)
        what = "kept by stale=accept" if accepted else "not done until they are run again, or kept by stale=accept"
        some = [labels[key] for key in keys[:_NAMED]] + ([f"{len(keys) - _NAMED} more"] if len(keys) > _NAMED else [])
        lines.append(
            f"{len(keys)} stale cell{'s' * (len(keys) > 1)}, {what}: {'; '.join(some)}; changed since then: "
            f"{', '.join(modules)}"
        )
    return lines


def _warm_up(wandb: str) -> None:
    """Imports what the end needs while the cells run, so that nobody waits for it."""
    with contextlib.suppress(Exception):  # whatever is wrong is told where it is used
        import scipy.special  # noqa: F401

        if wandb != "none":
            from wandb import setup

            setup()


def _finish(config: DictConfig, request: _Request) -> list[tuple[TableResult, Path]]:
    """Writes (or, for status, only shows) the reports; returns the tables of which every cell is done."""
    done = []
    for one in request.asked:
        result = _result(config, one, _statuses(one.plan, request.store))
        folder = _folder(config, one.table)
        display.show_table(result)
        if config.action.name != "status":
            standing.write(_standing(config, result), folder)
            for path in report.write(result, folder):
                print(path)
        if result.count(State.done) == len(result.statuses):
            done.append((result, folder))
    if config.action.name != "status":
        with contextlib.suppress(ConfigError):  # another table's file has a fault, which is told where it is asked for
            index.write(spec.find(["*"]), BUDGETS, request.store.outputs / "tables")
    return done


def _statuses(plan: _Plan, store: Store) -> dict[str, Status]:
    """What the store says of each distinct cell, by its id."""
    return {key: store.status(key) for key in {cell.id for cell in plan.values()}}


def _folder(config: DictConfig, table: Table) -> Path:
    """Where the report of a table is."""
    return Path(config.outputs).absolute() / "tables" / table.name / str(config.budget.name)


def _result(config: DictConfig, one: _Asked, statuses: Mapping[str, Status]) -> TableResult:
    result = results.gather(one.table, config.budget.name, one.seeds, one.plan, statuses, command(), one.look)
    return replace(result, warnings=(*result.warnings, *_stale(statuses, _labels([one.plan]))))


def _add_seeds(config: DictConfig, request: _Request) -> bool:
    """Plans a second look at the tables whose first one is over, each once; whether there is something to run now."""
    from retable.run.build import build

    workers = build(config.engine).workers
    added = False
    for one in request.asked:
        if one.look is not None:
            print(f"{one.table.name}: its second look was planned on {one.look.written}, and is not planned again")
            continue
        result = _result(config, one, _statuses(one.plan, request.store))
        if result.count(State.done) < len(result.statuses):
            print(f"{one.table.name}: no seeds are added before all cells of the first look are done")
            continue
        needed = results.seeds_needed(result, second_look.LEVEL)
        look = second_look.planned(result, needed, config.minutes, workers)
        if look is None:
            print(f"{one.table.name}: {config.minutes:g} more minutes would decide no open claim; see its report")
            continue
        path = second_look.write(look, _folder(config, one.table))
        print(f"{one.table.name}: {len(look.added)} seeds more for {len(look.claims)} claims, planned in {path}")
        added = True
    return added


def _standing(config: DictConfig, result: TableResult) -> Standing:
    asked = {key: OmegaConf.to_object(config[key]) for key in _LABELLED}
    select = config.select.name if config.select is not None else None
    seeds = list(result.seeds) if result.look is None else result.look.first
    return standing.of(result, {**asked, "seeds": seeds, "select": select, "overrides": config.overrides})


def _index(config: DictConfig, store: Store, planner: Planner) -> None:
    """Counts the cells of all tables again, as they were last asked for, and writes the index."""
    tables, folder = spec.find(["*"]), store.outputs / "tables"
    all_of_them = [(table, budget) for table in tables for budget in BUDGETS] if store.has_cells() else []
    with display.bar("counting", len(all_of_them)) as advance:
        for table, budget in all_of_them:
            known = standing.read(folder / table.name / budget)
            given = OmegaConf.merge(config, known.asked) if known else config
            assert isinstance(given, DictConfig)
            given.budget.name = budget
            try:
                (one,) = _asked(given, planner, [table])
                statuses = _statuses(one.plan, store)
                if known or any(status.state is not State.pending for status in statuses.values()):
                    result = _result(given, one, statuses)
                    standing.write(_standing(given, result), folder / table.name / budget)
            except ConfigError as error:
                print(f"warning: {table.name} under budget={budget} is as of its last report: {error}", file=sys.stderr)
            advance()
    planner.save()
    for path in index.write(tables, BUDGETS, folder):
        print(path)


def _places(table: Table, budget: str) -> int:
    """How many different cells a table has, by its words."""
    rows = [row for row in table.rows.values() if not row.not_available]
    words = {
        (*column.overrides, *table.overrides_of(row), row.of if table.shared else "")
        for row in rows
        for column in table.columns.values()
    }
    return len(words) * len(_seeds(None, budget, table))


def _list(store: Store, planner: Planner) -> None:
    found: list[tuple[Table, Mapping[str, tuple[int, int]]]] = []
    tables = spec.find(["*"])
    if not store.has_cells():  # nothing can be done, so that nobody waits for configurations to be composed
        display.show_list([(table, {name: (0, _places(table, name)) for name in BUDGETS}) for table in tables])
        return
    with display.bar("planning", len(tables) * len(BUDGETS)) as advance:
        for table in tables:
            counts = {}
            for budget in BUDGETS:
                plan = planner.plan(table, budget, _seeds(None, budget, table))
                ids = {cell.id for cell in plan.values()}
                counts[budget] = (sum(store.status(key).state is State.done for key in ids), len(ids))
                advance()
            found.append((table, counts))
    planner.save()
    display.show_list(found)
