"""Scores the day's applications with the version that is in Production, and says which it was."""

import csv
import json
from pathlib import Path

import numpy as np
import onnxruntime

KINDS = {"tensor(float)": np.float32, "tensor(string)": object}


def main() -> None:
    """Score every row, and print a line for each."""
    version = json.loads(Path("/found/version.json").read_text())
    with Path("/job/applications.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    session = onnxruntime.InferenceSession("/models/model.onnx")
    asked = {
        given.name: np.array([row[given.name] for row in rows]).astype(KINDS[given.type])
        for given in session.get_inputs()
    }
    scores, approved = session.run(["score", "approved"], asked)
    for row, score, yes in zip(rows, scores, approved, strict=True):
        print(f"{row['application']}: {score:.3f} {'approved' if yes else 'declined'}")
    print(f"{len(rows)} scored by version {version['version']}, {version['digest']}")


if __name__ == "__main__":
    main()
