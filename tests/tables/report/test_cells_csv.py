import csv

from tests.tables.report.example import DONE, FAILURE, MIXED, build

from retable.tables.report import cells_csv


def lines(result):
    return {
        (line["row"], line["column"], line["seed"]): line
        for line in csv.DictReader(cells_csv.document(result).splitlines())
    }


def test_a_done_cell_has_everything(tmp_path):
    result = build(tmp_path, DONE)
    line = lines(result)["LARSD-3", "HRSC2016", "2"]
    record = result.entries["LARSD-3", "HRSC2016"].statuses[2].record
    assert line["command"] == record.command
    expected = {
        "table": "larsd/2",
        "budget": "small",
        "state": "done",
        "metric": "test/ap50_voc07",
        "unit": "AP (%)",
        "printed": "87.2",
        "data_fingerprint": record.data["fingerprint"],
        "data_splits": "train 436, val 181, test 444; tested on test",
        "seconds": "360.0",
        "peak_memory_bytes": "1247408128",
        "epochs": "32.0",
        "steps": "3200.0",
        "commit": record.git["commit"],
        "dirty": "False",
        "config_hash": record.config_hash,
        "folder": f"cells/{record.config_hash}",
        "wandb_id": "52e8bd24dafa",
        "about/Distribution": "Diamond",
        "about/Number of points": "9",
    }
    assert {name: line[name] for name in expected} == expected
    assert float(line["value"]) == result.entries["LARSD-3", "HRSC2016"].values[2]


def test_cells_without_a_record_have_no_value_but_the_command_that_would_make_it(tmp_path):
    found = lines(build(tmp_path, MIXED))
    failed, running = found["LARSD-1", "HRSC2016", "2"], found["LARSD-1", "HRSC2016", "3"]
    assert (failed["state"], failed["value"], failed["failure"]) == ("failed", "", FAILURE.reason)
    assert (running["state"], running["value"]) == ("running", "")
    assert running["command"] == "python train.py model=larsd budget=small data=hrsc2016 model.lasa=rectangle-9 seed=3"


def test_rows_that_are_not_available_say_why(tmp_path):
    line = lines(build(tmp_path, DONE))["R2CNN", "HRSC2016", "1"]
    assert (line["state"], line["value"], line["printed"]) == ("not available", "", "75.7")
    assert line["failure"] == "no model for region proposals yet"
