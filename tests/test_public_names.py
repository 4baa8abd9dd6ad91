"""The public names of mlnb, and what importing it costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mlnb

NAMES = [
    "__version__",
    "CSVLogger",
    "CallbackError",
    "CheckpointError",
    "DataError",
    "DownloadError",
    "DownloadRefused",
    "EarlyStopping",
    "EmbeddingMap",
    "Encoder",
    "Evaluation",
    "EvaluationReport",
    "ExportError",
    "Graph",
    "GraphViewer",
    "History",
    "ImageClassifier",
    "ImageError",
    "ImageGrid",
    "ImageSheet",
    "Input",
    "InputError",
    "LabelMap",
    "LayerError",
    "LayerHealth",
    "LimitExceeded",
    "Limits",
    "MissingExtra",
    "MlnbError",
    "Model",
    "ModelCheckpoint",
    "ModelCrashed",
    "ModelFileChanged",
    "ModelFormatError",
    "ModelRunError",
    "ModelTimeout",
    "Network",
    "Node",
    "Prediction",
    "PredictionPanel",
    "Run",
    "RunBusy",
    "Sample",
    "SampleMissing",
    "Selection",
    "SentenceSimilarity",
    "Sequential",
    "TensorBoard",
    "TensorSpec",
    "TensorSpecs",
    "TensorTable",
    "TextClassifier",
    "TextFacts",
    "TextTable",
    "TrainError",
    "Trainer",
    "TrainingMonitor",
    "UnknownName",
    "Value",
    "backbone",
    "backends",
    "check_data",
    "compare_backbones",
    "describe_texts",
    "devices",
    "download",
    "encoder",
    "evaluate",
    "evaluate_model",
    "export_onnx",
    "fold",
    "image_frame",
    "list_runs",
    "list_samples",
    "load_model",
    "load_sample",
    "lr_finder",
    "near_duplicates",
    "read_table",
    "split",
    "summarize",
]
HEAVY = ["IPython", "anywidget", "ipywidgets", "numpy", "onnx", "onnxruntime", "pandas", "torch"]


def test_these_names_are_public_and_no_others():
    assert mlnb.__all__ == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_there_documented_and_listed(name: str):
    value = getattr(mlnb, name)
    assert value.__doc__
    assert name in dir(mlnb)


def test_every_error_of_ours_is_public():
    from mlnb import errors

    raised = {
        n for n, v in vars(errors).items() if isinstance(v, type) and v.__module__ == "mlnb.errors"
    }
    assert raised <= set(mlnb.__all__)
    assert all(issubclass(getattr(mlnb, name), mlnb.MlnbError) for name in raised)


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(mlnb.__file__).read_text())
    seen = {
        (alias.asname, node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert seen == {(name, f"mlnb.{home}") for name, home in mlnb._HOME.items()}


def test_a_wrong_name_is_told_the_closest():
    with pytest.raises(AttributeError, match="did you mean 'load_model'"):
        mlnb.load_modell  # noqa: B018


def test_importing_mlnb_brings_nothing_heavy():
    code = "import sys, mlnb; print(*(m for m in sys.argv[1:] if m in sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == []


def test_importing_mlnb_takes_at_most_50_ms():
    """The time of the import itself, as Python counts it; the best of three on a busy machine."""
    assert min(import_milliseconds() for _ in range(3)) <= 50


def import_milliseconds() -> float:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import mlnb"],
        capture_output=True,
        text=True,
        check=True,
    )
    cumulative = {
        line.split("|")[2].strip(): int(line.split("|")[1])
        for line in run.stderr.splitlines()
        if line.count("|") == 2 and "cumulative" not in line
    }
    return cumulative["mlnb"] / 1000


def test_onnxruntime_reports_nothing_after_our_import(tmp_path: Path) -> None:
    code = "import mlnb, onnxruntime, time; time.sleep(0.5)"
    root = Path(mlnb.__file__).parents[1]
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)
    assert not list(tmp_path.rglob("*onnxruntime*"))
