"""Measures a version of the fraud detector on rows that whoever trained it has never seen.

The registry says in the environment where things are: the artifact, its digest checked, and the
place for the answer. The policy mounts the rows. What is found is judged by the Model's rules.
"""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

HOLDOUT = Path("/holdout/holdout.csv")
WORDS = ("home", "job", "records", "marital")
AGE_BANDS = {"18-25": (18, 25), "26-35": (26, 35), "36-50": (36, 50), "51+": (51, 200)}
KINDS = {"tensor(float)": np.float32, "tensor(string)": object}


def main() -> None:
    """Score every row, measure in total and per age band, and leave the metrics."""
    rows = read_rows()
    session = onnxruntime.InferenceSession(os.environ["MODELWARDEN_ARTIFACT"])
    asked = {
        given.name: rows[given.name].astype(KINDS[given.type]) for given in session.get_inputs()
    }
    score, approved = session.run(["score", "approved"], asked)
    everybody = np.ones(len(score), dtype=bool)
    metrics = list(measured(rows, score, approved, among=everybody))
    for band, (lowest, highest) in AGE_BANDS.items():
        among = (rows["age"] >= lowest) & (rows["age"] <= highest)
        found = measured(rows, score, approved, among=among)
        metrics += [metric | {"segment": {"age_band": band}} for metric in found]
    Path(os.environ["MODELWARDEN_RESULT"]).write_text(json.dumps({"metrics": metrics}))


def read_rows() -> dict[str, Any]:
    """Read the rows column by column; an empty number is not known."""
    with HOLDOUT.open(newline="") as file:
        table = list(csv.DictReader(file))
    columns: dict[str, Any] = {name: np.array([row[name] for row in table]) for name in table[0]}
    return columns | {
        name: np.where(values == "", "nan", values).astype(np.float32)
        for name, values in columns.items()
        if name not in WORDS
    }


def measured(rows: dict[str, Any], score: Any, approved: Any, *, among: Any) -> Iterator[Any]:
    """Measure what the Model has rules about, among some of the rows."""
    bad = rows["bad"][among] == 1
    yield metric("auc", auc(bad, score[among]), len(bad))
    yield metric("recall", float((~approved[among][bad]).mean()), int(bad.sum()))
    yield metric("approval_rate", float(approved[among].mean()), len(bad))


def auc(bad: Any, score: Any) -> float:
    """How often one who did not pay back is scored above one who did; a tie counts half."""
    above = score[bad][:, None] - score[~bad][None, :]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


def metric(name: str, value: float, samples: int) -> dict[str, Any]:
    """Write a metric as a record has it: a decimal as text, and of how many rows."""
    return {"name": name, "value": f"{value:.4f}", "dataset": "holdout", "samples": samples}


if __name__ == "__main__":
    main()
