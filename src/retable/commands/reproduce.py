"""Runs a paper's table: every cell that is missing, then paper against ours with a verdict for each claim.

python reproduce.py                                       lists the tables
python reproduce.py table=larsd/2 budget=smoke            runs one; again: only what is missing
python reproduce.py table=larsd/2,larsd/3 seeds=[1,5,9]   several; table=larsd/* for all of a paper
python reproduce.py status table=larsd/2                  how far it is; starts nothing
python reproduce.py report table=larsd/2                  writes the report of what is there; starts nothing
python reproduce.py report                                an index over all tables: outputs/tables/index.html
python reproduce.py table=larsd/2 only=row:LARSD-3        one row; also column:LABEL, seed:N
python reproduce.py table=larsd/2 columns.SSDD="data=ssdd data.root=PATH" rows.Mine="model.lasa=diamond-25"
python reproduce.py table=larsd/2 engine.workers=2        also engine=slurm, engine=ray
python reproduce.py table=larsd/2 retry=failed            failed cells again; dry_run=true prints the commands
"""

import gc

from retable.run import command_line
from retable.tables.reproduce import reproduce, words


def main() -> None:
    """Runs ``reproduce.py``."""
    gc.set_threshold(50_000)  # configurations and records are many objects that live to the end: 6 % of the time
    command_line.main(reproduce, "reproduce", __doc__, words=words)


if __name__ == "__main__":
    main()
