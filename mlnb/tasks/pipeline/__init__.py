"""Pictures to a model and its answers to names, step by step, as scikit-learn's transformers.

Every step gives a pandas frame. What stands in its column `image` is not pixels but how to get
them, so that a folder of any size goes through: `Score` decodes and feeds one batch after another.
"""

from mlnb.tasks.pipeline.answers import Softmax as Softmax
from mlnb.tasks.pipeline.answers import TopK as TopK
from mlnb.tasks.pipeline.class_names import class_names as class_names
from mlnb.tasks.pipeline.conventions import CONVENTIONS as CONVENTIONS
from mlnb.tasks.pipeline.conventions import Convention as Convention
from mlnb.tasks.pipeline.images import ExtractPixels as ExtractPixels
from mlnb.tasks.pipeline.images import LoadImages as LoadImages
from mlnb.tasks.pipeline.images import ResizeImages as ResizeImages
from mlnb.tasks.pipeline.pictures import Picture as Picture
from mlnb.tasks.pipeline.score import Score as Score
from mlnb.tasks.pipeline.suggest import Suggestions as Suggestions
from mlnb.tasks.pipeline.suggest import suggest_preprocessing as suggest_preprocessing
