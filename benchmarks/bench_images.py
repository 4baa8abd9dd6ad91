"""Picture tasks against the plain way, on the photographs of MLNB_DATA.

`python benchmarks/bench_images.py [SECTION ...]`. The sides take turns, and ratios of medians are
printed, by the clock and by CPU time: on a machine that does other things too only the second is
worth something, while a second core shows in the first alone.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROUNDS = 5
BATCH = 32
LARGE = 12


def decoding() -> None:
    """Files to uint8 batches: `decode` against ImageFolder with the same transforms."""
    photographs = Path(os.environ["MLNB_DATA"]) / "cats_vs_dogs"
    _decode_section(photographs, "1,000 photographs of cats and dogs")
    with tempfile.TemporaryDirectory(prefix="mlnb-bench-") as folder:
        _make_large(photographs, Path(folder), LARGE)
        _decode_section(Path(folder), f"{LARGE} photographs of 12 megapixels")


def _decode_section(folder: Path, title: str) -> None:
    import torch
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import CenterCrop, Compose, PILToTensor, Resize

    from mlnb.data.decoding import decode

    torch.set_num_threads(1)  # the plain way is faster so: its workers have one thread as well
    plain = ImageFolder(str(folder), Compose([Resize(256), CenterCrop(224), PILToTensor()]))
    paths = [path for path, _ in plain.samples]

    def exhaust(batches: object) -> None:
        for _ in batches:  # type: ignore[attr-defined]
            pass

    compare(
        title,
        {
            "ImageFolder, one process": lambda: exhaust(DataLoader(plain, BATCH)),
            "ImageFolder, two workers": lambda: exhaust(DataLoader(plain, BATCH, num_workers=2)),
            "decode": lambda: exhaust(decode(paths, (224, 224), resize=256, batch=BATCH)),
        },
    )
    print(f"  pixels are {_pixels_apart(plain, paths):.2f} grey levels apart on average")


def _pixels_apart(plain: object, paths: list[str]) -> float:
    from mlnb.data.decoding import decode

    step = max(1, len(paths) // 50)
    batches = decode(paths[::step], (224, 224), resize=256)
    ours = [image for _, images, _ in batches for image in images]
    theirs = [plain[index][0].permute(1, 2, 0).numpy() for index in range(0, len(paths), step)]  # type: ignore[index]
    return statistics.fmean(
        float(abs(a.astype(int) - b.astype(int)).mean()) for a, b in zip(ours, theirs, strict=True)
    )


def _make_large(source: Path, folder: Path, count: int) -> None:
    """Photographs of 4000 x 3000 out of small ones, with the noise of a sensor."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    found = sorted(source.glob("*/*.jpg"))
    for number, path in enumerate(found[:: len(found) // count][:count]):
        with Image.open(path) as picture:
            size = (4000, 3000) if picture.width >= picture.height else (3000, 4000)
            large = np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BICUBIC))
        noisy = large + rng.normal(0, 4, (*large.shape[:2], 1))
        home = folder / path.parent.name
        home.mkdir(exist_ok=True)
        pixels = noisy.clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(home / f"{number}.jpg", quality=90)


def bottlenecks() -> None:
    """MobileNetV2 over all photographs: the bottleneck phase against the plain way."""
    import numpy as np
    import torch
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder

    from mlnb.data.image_frame import image_frame
    from mlnb.networks.backbones import backbone
    from mlnb.tasks.images.bottleneck import bottleneck
    from mlnb.tasks.images.features import TorchFeatures
    from mlnb.tasks.images.pictures import take_pictures

    photographs = Path(os.environ["MLNB_DATA"]) / "cats_vs_dogs"
    body = backbone("mobilenet_v2", fetch=False)
    plain = DataLoader(ImageFolder(str(photographs), body.preprocess), BATCH)
    pictures = take_pictures(image_frame(photographs))
    place = {path: row for row, path in enumerate(pictures.content)}
    order = [place[path] for path, _ in plain.dataset.samples]  # type: ignore[attr-defined]
    made: dict[str, np.ndarray] = {}

    def plainly() -> None:
        with torch.no_grad():
            made["plain"] = torch.cat([body(images) for images, _ in plain]).numpy()

    def ours() -> None:
        made["ours"] = bottleneck(pictures, TorchFeatures(body, device="cpu"), None, BATCH).features

    title = f"bottleneck phase of MobileNetV2, {len(pictures):,} photographs"
    compare(title, {"ImageFolder, torch eager": plainly, "bottleneck": ours}, rounds=3)
    apart = np.abs(made["ours"][order] - made["plain"]).max()
    print(f"  features are {apart:.1e} apart at most")


def accuracy() -> None:
    """80/20 with five seeds, and what a second fit costs."""
    from mlnb.data.image_frame import image_frame
    from mlnb.data.splits import split
    from mlnb.tasks.images.classification import ImageClassifier

    frame = image_frame(Path(os.environ["MLNB_DATA"]) / "cats_vs_dogs")
    with tempfile.TemporaryDirectory(prefix="mlnb-bench-") as folder:
        for name in ("mobilenet_v2", "squeezenet1_1"):
            scores, seconds = [], []
            for seed in range(5):
                parts = split(frame, validation=0.1, test=0.2, seed=seed, tell=lambda _: None)
                start = time.perf_counter()
                classifier = ImageClassifier(name, cache=folder, seed=seed).fit(parts)
                seconds.append(time.perf_counter() - start)
                scores.append(classifier.score(parts))
            again = ImageClassifier(name, head="mlp", cache=folder)
            start = time.perf_counter()
            again.fit(parts)
            second = time.perf_counter() - start
            print(f"\n{name}: {statistics.fmean(scores):.2%} on 200 unseen, mean of 5 seeds")
            print(f"  {', '.join(f'{score:.1%}' for score in scores)}")
            print(f"  first fit {seconds[0]:.1f} s, another head {second / seconds[0]:.1%} of it")


def listing() -> None:
    """25,000 small photographs: seconds and memory of `image_frame`, in a process of its own."""
    from PIL import Image

    with tempfile.TemporaryDirectory(prefix="mlnb-bench-") as folder:
        found = sorted((Path(os.environ["MLNB_DATA"]) / "cats_vs_dogs").glob("*/*.jpg"))
        contents = []
        for path in found[::10]:
            small = Path(folder) / "small.jpg"
            Image.open(path).convert("RGB").resize((96, 96)).save(small)
            contents.append(small.read_bytes())
            small.unlink()
        for number in range(25_000):
            home = Path(folder) / ("cats" if number % 2 else "dogs")
            home.mkdir(exist_ok=True)
            (home / f"{number}.jpg").write_bytes(contents[number % len(contents)])
        subprocess.run([sys.executable, "-c", _LIST, folder], check=True)


_LIST = """
import resource, sys, time
import pandas
from mlnb.data.image_frame import image_frame

def mebibytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

before, start = mebibytes(), time.perf_counter()
frame = image_frame(sys.argv[1])
seconds = time.perf_counter() - start
print(f"\\nlisting {len(frame):,} photographs: {seconds:.1f} s, {mebibytes():.0f} MiB in all, "
      f"{mebibytes() - before:.0f} MiB more than before")
"""


def compare(title: str, sides: dict[str, Callable[[], None]], rounds: int = ROUNDS) -> None:
    """Run the sides in turns and print medians, and how much faster the last is than each."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, act in sides.items():
            start, busy = time.perf_counter(), _cpu_seconds()
            act()
            seconds[name].append((time.perf_counter() - start, _cpu_seconds() - busy))
    print(f"\n{title}, median of {rounds}")
    ours = list(seconds.values())[-1]
    for name, taken in seconds.items():
        wall, cpu = (statistics.median(times) for times in zip(*taken, strict=True))
        faster, leaner = (
            statistics.median(theirs[of] / own[of] for theirs, own in zip(taken, ours, strict=True))
            for of in (0, 1)
        )
        print(f"  {name:28s} {wall:6.2f} s ({faster:.2f} x ours), CPU {cpu:.2f} s ({leaner:.2f} x)")


def _cpu_seconds() -> float:
    """What this process and the children it has waited for have computed."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


SECTIONS = {
    "decoding": decoding,
    "bottleneck": bottlenecks,
    "accuracy": accuracy,
    "listing": listing,
}


def main(names: list[str]) -> None:
    """Run the sections that are named, or all."""
    if "MLNB_DATA" not in os.environ:
        print("MLNB_DATA is not set: no photographs to measure on")
        return
    for name in names or SECTIONS:
        SECTIONS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
