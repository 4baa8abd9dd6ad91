"""mlnb: look into, run, build and train deep-learning models inside a Jupyter notebook.

The public names live here, and each is imported when it is first asked for (PEP 562): `import mlnb`
costs a few milliseconds and brings neither NumPy, IPython, onnx nor torch. The same list stands
twice, once for people and once for type checkers; a test holds the two equal.
"""

from __future__ import annotations

import os
from importlib import import_module

from mlnb._version import __version__

TYPE_CHECKING = False  # as in `typing`, whose import alone would cost more than all of this file
if TYPE_CHECKING:
    from typing import Any

    from IPython.core.interactiveshell import InteractiveShell

    from mlnb.data.checks import check_data as check_data
    from mlnb.data.duplicates import near_duplicates as near_duplicates
    from mlnb.data.image_frame import image_frame as image_frame
    from mlnb.data.label_map import LabelMap as LabelMap
    from mlnb.data.sample import Sample as Sample
    from mlnb.data.samples import list_samples as list_samples
    from mlnb.data.samples import load_sample as load_sample
    from mlnb.data.splits import split as split
    from mlnb.data.tables import read_table as read_table
    from mlnb.data.text import TextFacts as TextFacts
    from mlnb.data.text import describe_texts as describe_texts
    from mlnb.device.table import devices as devices
    from mlnb.downloads import download as download
    from mlnb.errors import CallbackError as CallbackError
    from mlnb.errors import CheckpointError as CheckpointError
    from mlnb.errors import DataError as DataError
    from mlnb.errors import DownloadError as DownloadError
    from mlnb.errors import DownloadRefused as DownloadRefused
    from mlnb.errors import ExportError as ExportError
    from mlnb.errors import ImageError as ImageError
    from mlnb.errors import InputError as InputError
    from mlnb.errors import LayerError as LayerError
    from mlnb.errors import LimitExceeded as LimitExceeded
    from mlnb.errors import MissingExtra as MissingExtra
    from mlnb.errors import MlnbError as MlnbError
    from mlnb.errors import ModelCrashed as ModelCrashed
    from mlnb.errors import ModelFileChanged as ModelFileChanged
    from mlnb.errors import ModelFormatError as ModelFormatError
    from mlnb.errors import ModelRunError as ModelRunError
    from mlnb.errors import ModelTimeout as ModelTimeout
    from mlnb.errors import RunBusy as RunBusy
    from mlnb.errors import SampleMissing as SampleMissing
    from mlnb.errors import TrainError as TrainError
    from mlnb.errors import UnknownName as UnknownName
    from mlnb.graph.fold import fold as fold
    from mlnb.graph.graph import Graph as Graph
    from mlnb.graph.graph import Node as Node
    from mlnb.graph.graph import Value as Value
    from mlnb.graph.summary import summarize as summarize
    from mlnb.limits import Limits as Limits
    from mlnb.models.loading import load_model as load_model
    from mlnb.models.model import Model as Model
    from mlnb.models.prediction import Prediction as Prediction
    from mlnb.networks.backbones import backbone as backbone
    from mlnb.networks.backends import backends as backends
    from mlnb.networks.encoders import Encoder as Encoder
    from mlnb.networks.encoders import encoder as encoder
    from mlnb.networks.export import export_onnx as export_onnx
    from mlnb.networks.network import Network as Network
    from mlnb.networks.nodes import Input as Input
    from mlnb.networks.sequential import Sequential as Sequential
    from mlnb.specs import TensorSpec as TensorSpec
    from mlnb.specs import TensorSpecs as TensorSpecs
    from mlnb.tasks.comparison import compare_backbones as compare_backbones
    from mlnb.tasks.images.classification import ImageClassifier as ImageClassifier
    from mlnb.tasks.similarity.similarity import SentenceSimilarity as SentenceSimilarity
    from mlnb.tasks.texts.classification import TextClassifier as TextClassifier
    from mlnb.train.callbacks.csv_logger import CSVLogger as CSVLogger
    from mlnb.train.callbacks.early_stopping import EarlyStopping as EarlyStopping
    from mlnb.train.callbacks.model_checkpoint import ModelCheckpoint as ModelCheckpoint
    from mlnb.train.callbacks.tensorboard import TensorBoard as TensorBoard
    from mlnb.train.evaluate_model import evaluate_model as evaluate_model
    from mlnb.train.evaluation import Evaluation as Evaluation
    from mlnb.train.evaluation import evaluate as evaluate
    from mlnb.train.health import LayerHealth as LayerHealth
    from mlnb.train.history import History as History
    from mlnb.train.keep.runs import list_runs as list_runs
    from mlnb.train.lr_finder import lr_finder as lr_finder
    from mlnb.train.run import Run as Run
    from mlnb.train.trainer import Trainer as Trainer
    from mlnb.widgets.embedding_map import EmbeddingMap as EmbeddingMap
    from mlnb.widgets.evaluation_report import EvaluationReport as EvaluationReport
    from mlnb.widgets.graph_viewer import GraphViewer as GraphViewer
    from mlnb.widgets.image_grid import ImageGrid as ImageGrid
    from mlnb.widgets.image_sheet import ImageSheet as ImageSheet
    from mlnb.widgets.prediction_panel import PredictionPanel as PredictionPanel
    from mlnb.widgets.selection import Selection as Selection
    from mlnb.widgets.tensor_table import TensorTable as TensorTable
    from mlnb.widgets.text_table import TextTable as TextTable
    from mlnb.widgets.training_monitor import TrainingMonitor as TrainingMonitor

_HOMES = {
    "data.checks": ["check_data"],
    "data.duplicates": ["near_duplicates"],
    "data.image_frame": ["image_frame"],
    "data.label_map": ["LabelMap"],
    "data.sample": ["Sample"],
    "data.samples": ["list_samples", "load_sample"],
    "data.splits": ["split"],
    "data.tables": ["read_table"],
    "data.text": ["TextFacts", "describe_texts"],
    "device.table": ["devices"],
    "downloads": ["download"],
    "errors": [
        "CallbackError",
        "CheckpointError",
        "DataError",
        "DownloadError",
        "DownloadRefused",
        "ExportError",
        "ImageError",
        "InputError",
        "LayerError",
        "LimitExceeded",
        "MissingExtra",
        "MlnbError",
        "ModelCrashed",
        "ModelFileChanged",
        "ModelFormatError",
        "ModelRunError",
        "ModelTimeout",
        "RunBusy",
        "SampleMissing",
        "TrainError",
        "UnknownName",
    ],
    "graph.fold": ["fold"],
    "graph.graph": ["Graph", "Node", "Value"],
    "graph.summary": ["summarize"],
    "limits": ["Limits"],
    "models.loading": ["load_model"],
    "models.model": ["Model"],
    "models.prediction": ["Prediction"],
    "networks.backbones": ["backbone"],
    "networks.backends": ["backends"],
    "networks.encoders": ["Encoder", "encoder"],
    "networks.export": ["export_onnx"],
    "networks.network": ["Network"],
    "networks.nodes": ["Input"],
    "networks.sequential": ["Sequential"],
    "specs": ["TensorSpec", "TensorSpecs"],
    "tasks.comparison": ["compare_backbones"],
    "tasks.images.classification": ["ImageClassifier"],
    "tasks.similarity.similarity": ["SentenceSimilarity"],
    "tasks.texts.classification": ["TextClassifier"],
    "train.callbacks.csv_logger": ["CSVLogger"],
    "train.callbacks.early_stopping": ["EarlyStopping"],
    "train.callbacks.model_checkpoint": ["ModelCheckpoint"],
    "train.callbacks.tensorboard": ["TensorBoard"],
    "train.evaluate_model": ["evaluate_model"],
    "train.evaluation": ["Evaluation", "evaluate"],
    "train.health": ["LayerHealth"],
    "train.history": ["History"],
    "train.keep.runs": ["list_runs"],
    "train.lr_finder": ["lr_finder"],
    "train.run": ["Run"],
    "train.trainer": ["Trainer"],
    "widgets.embedding_map": ["EmbeddingMap"],
    "widgets.evaluation_report": ["EvaluationReport"],
    "widgets.graph_viewer": ["GraphViewer"],
    "widgets.image_grid": ["ImageGrid"],
    "widgets.image_sheet": ["ImageSheet"],
    "widgets.prediction_panel": ["PredictionPanel"],
    "widgets.selection": ["Selection"],
    "widgets.tensor_table": ["TensorTable"],
    "widgets.text_table": ["TextTable"],
    "widgets.training_monitor": ["TrainingMonitor"],
}
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
"""From 1.29 on onnxruntime tells its makers which models it runs, unless this is set before its
import; who wants that sets it to 0."""

_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        if name.startswith("__"):
            raise AttributeError(f"module 'mlnb' has no attribute {name!r}")
        from mlnb.errors import unknown

        raise AttributeError(f"mlnb has {unknown('name', name, __all__)}")
    value = getattr(import_module(f"mlnb.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What `%load_ext mlnb` does: the magics, their completion, and live views of models."""
    from mlnb.magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """What `%unload_ext mlnb` does: all of it taken back."""
    from mlnb.magics import unload

    unload(shell)
