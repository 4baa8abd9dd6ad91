"""No framework comes into the session's process by loading or running a file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hostile.format_mutants import good

TESTS = Path(__file__).parents[1]
FORMATS = ("GraphDef", "TFLite", "Keras", "Keras HDF5", "ExportedProgram", "PyTorch checkpoint")

SESSION = """
import sys
from hostile.survey import feed, view
from mlnb.errors import MissingExtra, MlnbError

for path in sys.argv[1:]:
    model = view(path)
    try:
        model.predict({spec.name: feed(spec) for spec in model.inputs}, raw=True)
        print("ran")
    except MissingExtra:
        print("ran")
    except MlnbError as error:
        print(path, type(error).__name__, error)
foreign = {"tensorflow", "keras", "ai_edge_litert", "h5py", "torch", "torchvision"}
try:
    assert view(sys.argv[1]).to_onnx(sys.argv[1] + ".onnx").difference < 1e-5
except MissingExtra:
    pass
print("came in:", sorted(foreign & set(sys.modules)))
"""


def test_loading_and_running_brings_no_framework_into_the_session(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.model" for i in range(len(FORMATS))]
    for path, name in zip(paths, FORMATS, strict=True):
        path.write_bytes(good(name)[0])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SESSION, *map(str, paths)],
        env={
            "PYTHONPATH": f"{TESTS}:{TESTS.parent}",
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "came in: []" in done.stdout, done.stdout
    assert not list(tmp_path.rglob("*onnxruntime*"))  # what it collects to report lies there
    # All but the weights, and the HDF5 file, which Keras itself may refuse.
    assert done.stdout.splitlines().count("ran") >= len(FORMATS) - 2, done.stdout
