"""Export real networks from torchvision to ONNX and keep their skeletons for the tests.

    python tools/export_skeletons.py [NAME …]

Folding and the viewer are tested on what torch's exporters really write, and a checkout should not
carry half a gigabyte of random weights for that: what stays is the file without them, some kB each.
The weights are random; of what the exporter notes at each node only the modules around it are kept,
since the rest names folders of the machine that exported.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
import time
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "tests" / "skeletons"
NETWORKS = (
    ("resnet18", "dynamo"),
    ("vit_b_16", "dynamo"),
    ("swin_t", "dynamo"),
    ("resnet18", "torchscript"),
    ("swin_t", "torchscript"),
)
KEPT_NOTES = frozenset(("pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"))


def main(names: list[str]) -> None:
    """Export the networks whose file names contain one of `names`, or all of them."""
    FOLDER.mkdir(exist_ok=True)
    for network, exporter in NETWORKS:
        target = FOLDER / f"{network}_{exporter}.onnx.gz"
        if names and not any(name in target.name for name in names):
            continue
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "exported.onnx"
            export(network, exporter, file)
            content = stripped(file)
        target.write_bytes(gzip.compress(content, mtime=0))
        seconds, size = time.perf_counter() - start, target.stat().st_size
        print(f"{target.name:32} {size / 1000:6.1f} kB {seconds:6.1f} s")


def export(network: str, exporter: str, file: Path) -> None:
    """Write a network with random weights and a batch of any size to `file`.

    The sample has a batch of 2: one of 1 makes the exporter take the batch for a constant.
    """
    import torch
    import torchvision

    torch.manual_seed(0)
    module = getattr(torchvision.models, network)(weights=None).eval()
    sample = (torch.randn(2, 3, 224, 224),)
    names = {"input_names": ["image"], "output_names": ["scores"]}
    if exporter == "dynamo":
        batch = ({0: "batch"},)
        torch.onnx.export(
            module, sample, file, dynamo=True, dynamic_shapes=batch, external_data=False, **names
        )
    else:
        axes = {"image": {0: "batch"}, "scores": {0: "batch"}}
        torch.onnx.export(
            module, sample, file, dynamo=False, dynamic_axes=axes, opset_version=17, **names
        )


def stripped(file: Path) -> bytes:
    """The model without its weights, and without notes that name the exporting machine."""
    import onnx

    from mlnb.formats import open_model_file

    model = onnx.load_from_string(open_model_file(file).skeleton())
    for node in model.graph.node:
        kept = [(note.key, note.value) for note in node.metadata_props if note.key in KEPT_NOTES]
        del node.metadata_props[:]
        for key, value in kept:
            node.metadata_props.add(key=key, value=value)
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    return model.SerializeToString(deterministic=True)


if __name__ == "__main__":
    main(sys.argv[1:])
