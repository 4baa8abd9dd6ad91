"""`%mltrain` and `%mlruns`: names in, a run out, mistakes in one line."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from mlnb.magics import run_views  # noqa: E402
from mlnb.train import active  # noqa: E402
from mlnb.train.run import Run  # noqa: E402
from mlnb.train.steer import background  # noqa: E402
from mlnb.train.trainer import Trainer  # noqa: E402


@pytest.fixture
def ready(notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A notebook with a network and something to learn."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLNB_HEADLESS", "0")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x = torch.randn(200, 4)
    notebook.names |= {
        "net": nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)),
        "x": x,
        "y": x[:, :3].argmax(1),
        "torch": torch,
        "nn": nn,
    }
    notebook.names["data"] = x, notebook.names["y"]
    yield notebook
    for run in active.live_runs():
        run.stop()
        run.wait(10)
    torch.set_num_threads(threads)


TRAIN = "%mltrain net --data data --epochs 2 --folder no"


def fits(monkeypatch: pytest.MonkeyPatch) -> dict:
    """What `Trainer` and `fit` are called with from now on, without training."""
    seen: dict = {}

    def init(self, model, **words):
        seen["model"], seen["trainer"] = model, words

    def fit(self, data, **words):
        seen["data"], seen["fit"] = data, words
        return made

    made = object.__new__(Run)
    made._live = False
    monkeypatch.setattr(Trainer, "__init__", init)
    monkeypatch.setattr(Trainer, "fit", fit)
    fit.__wrapped__ = FIT
    return seen


FIT = Trainer.fit


# ------------------------------------------------------------------------------------ it trains


def test_it_trains_and_returns_the_run(ready):
    ran = ready.run(f"run = {TRAIN} --validation 0.2")
    assert ran.error is None
    run = ready.names["run"]
    assert isinstance(run, Run)
    assert (run.stop_reason, run.epoch, run.name) == ("finished", 2, "net")
    assert run.model is ready.names["net"]
    assert run.history.epochs[-1]["val_loss"] > 0


def test_a_monitor_opens_and_the_run_is_shown_once(ready):
    ran = ready.run(TRAIN)
    assert ran.viewers == 1
    first, _, last = ran.outputs  # the picture, the view, and the picture at the end
    assert "data-mlnb-static" in first["data"]["text/html"]
    assert "finished" in last["data"]["text/html"]
    assert ready.run(f"run = {TRAIN}").viewers == 1
    shown = ready.run("run").outputs
    assert [sorted(o["data"]) for o in shown] == [["text/html", "text/plain"]]
    assert "<script" not in shown[0]["data"]["text/html"]


def test_fit_opens_the_same_monitor(ready):
    ready.names["Trainer"] = Trainer
    ran = ready.run("run = Trainer(net).fit(data, epochs=1, folder=False)")
    assert ran.error is None
    assert (ran.viewers, len(ran.outputs)) == (1, 3)
    assert ready.run("Trainer(net).fit(data, epochs=1, folder=False)").viewers == 1


def test_a_network_and_an_estimator_open_it_too(ready):
    from tiny_encoder import tiny_texts

    from mlnb.networks.sequential import Sequential
    from mlnb.tasks.texts.classification import TextClassifier

    own = Sequential(4, name="own").dense(3)
    bag = TextClassifier(Sequential(name="bag").embedding_bag(300, 8), cache=False, device="cpu")
    ready.names |= {"own": own, "bag": bag, "texts": tiny_texts(60)}
    assert ready.run("run = own.fit(data, epochs=1, folder=False)").viewers == 1
    ran = ready.run("bag.fit(*texts, tell=str);")
    assert ran.error is None
    assert ran.viewers == 1
    assert bag.run_.history.epochs


def test_a_semicolon_shows_nothing(ready):
    ran = ready.run(f"{TRAIN};")
    assert ran.error is None
    assert ran.outputs == []
    assert ready.run(f"run = {TRAIN};").outputs == []
    assert ready.run(TRAIN).viewers == 1  # silence ends with its line


def test_after_unloading_no_monitor_opens(ready):
    import mlnb

    ready.names["Trainer"] = Trainer
    mlnb.unload_ipython_extension(ready.shell)
    assert not active.has_listeners()
    ran = ready.run("run = Trainer(net).fit(data, epochs=1, folder=False)")
    assert ran.outputs == []
    mlnb.load_ipython_extension(ready.shell)
    mlnb.load_ipython_extension(ready.shell)
    assert ready.run("run = Trainer(net).fit(data, epochs=1, folder=False)").viewers == 1


def test_a_trainer_goes_on_with_its_own_words(ready):
    ready.names["trainer"] = Trainer(ready.names["net"], lr=0.25)
    ready.run("run = %mltrain trainer --data data --epochs 1 --folder no")
    assert ready.names["run"].lr == 0.25
    ran = ready.run("%mltrain trainer --data data --lr 0.1")
    assert "trainer is a Trainer, which was made with its own --lr" in ran.err


def test_something_that_holds_a_module_is_taken(ready):
    class Built:
        def __init__(self, module):
            self._module = module

        @property
        def module(self):
            return self._module

    ready.names["built"] = Built(ready.names["net"])
    ran = ready.run("run = %mltrain built --data data --epochs 1 --folder no")
    assert ran.error is None
    assert ready.names["run"].model is ready.names["net"]


def test_in_the_background_the_cell_returns(ready):
    began = time.monotonic()
    ran = ready.run("run = %mltrain net --data data --epochs 1000000 --folder no --background")
    assert ran.error is None
    run = ready.names["run"]
    assert run.active
    assert time.monotonic() - began < 30
    assert ready.run("%mlruns net").viewers == 1  # a monitor for one that still trains
    run.stop()
    assert run.wait(20)
    assert run.stop_reason == "stopped"


def test_headless_what_would_train_beside_the_cell_trains_in_it(ready, monkeypatch):
    monkeypatch.setenv("MLNB_HEADLESS", "1")
    ran = ready.run("run = %mltrain net --data data --epochs 2 --folder no --background")
    assert ready.names["run"].stop_reason == "finished"
    assert ran.viewers == 0


# ---------------------------------------------------------------------------------- the options


def test_the_options_are_the_keywords_of_trainer_and_fit(ready, monkeypatch):
    seen = fits(monkeypatch)
    ready.run(
        "%mltrain net --data data --epochs 3 --batch_size 16 --target price --loss mse "
        "--optimizer sgd(momentum=0.9) --lr 0.1 --metrics mae,r2 --schedule cosine --clip_norm 1 "
        "--accumulate 2 --device cpu --precision fp32 --backend eager --seed 7 --shuffle no "
        "--class_weight balanced --background --folder here --keep 1GB --name mine "
        "--validation 0.25;"
    )
    assert seen["model"] is ready.names["net"]
    assert seen["data"] is ready.names["data"]
    assert seen["trainer"] == {
        "loss": "mse",
        "optimizer": "sgd(momentum=0.9)",
        "lr": 0.1,
        "metrics": ["mae", "r2"],
        "schedule": "cosine",
        "clip_norm": 1.0,
        "accumulate": 2,
        "device": "cpu",
        "precision": "fp32",
        "backend": "eager",
        "seed": 7,
    }
    assert seen["fit"] == {
        "epochs": 3,
        "batch_size": 16,
        "target": "price",
        "class_weight": "balanced",
        "shuffle": False,
        "background": True,
        "folder": Path("here"),
        "keep": "1GB",
        "name": "mine",
        "validation": 0.25,
    }


def test_without_options_the_functions_decide(ready, monkeypatch):
    seen = fits(monkeypatch)
    ready.run("%mltrain net --data data;")
    assert seen["trainer"] == {}
    assert seen["fit"] == {"name": "net"}


def test_nought_is_a_value_and_no_lack_of_one(ready, monkeypatch):
    seen = fits(monkeypatch)
    ready.run("%mltrain net --data data --epochs 0 --batch_size 0 --lr 0 --clip_norm 0 --seed 0;")
    assert seen["trainer"] == {"lr": 0.0, "clip_norm": 0.0, "seed": 0}
    assert seen["fit"] == {"name": "net", "epochs": 0, "batch_size": 0}


def test_variables_stand_where_objects_are_meant(ready, monkeypatch):
    seen = fits(monkeypatch)
    ready.names |= {
        "my_loss": nn.MSELoss(),
        "sgd": torch.optim.SGD,
        "accuracy": 0.97,  # a number of that name is not meant
        "one": object(),
        "two": object(),
        "held": (1, 2),
        "weights": {0: 1.0},
    }
    ready.run(
        "%mltrain net --data data --loss my_loss --optimizer sgd --metrics accuracy "
        "--callbacks one,two --validation held --class_weight weights;"
    )
    names = ready.names
    assert seen["trainer"]["loss"] is names["my_loss"]
    assert seen["trainer"]["optimizer"] is torch.optim.SGD
    assert seen["trainer"]["metrics"] == ["accuracy"]
    assert seen["trainer"]["callbacks"] == [names["one"], names["two"]]
    assert seen["fit"]["validation"] is names["held"]
    assert seen["fit"]["class_weight"] is names["weights"]


def test_a_variable_may_hold_the_folder(ready, monkeypatch, tmp_path):
    seen = fits(monkeypatch)
    ready.names["place"] = str(tmp_path / "deep")
    ready.run("%mltrain net --data data --folder place;")
    assert seen["fit"]["folder"] == tmp_path / "deep"
    Path("place").mkdir()  # a folder of that name comes first
    ready.run("%mltrain net --data data --folder place;")
    assert seen["fit"]["folder"] == Path("place")
    ready.run("%mltrain net --data data --folder no;")
    assert seen["fit"]["folder"] is False


def test_data_may_be_a_sample(ready, monkeypatch):
    seen = fits(monkeypatch)
    ready.run("%mltrain net --data digits;")
    assert seen["data"].name == "digits"
    ready.names["digits"] = ready.names["data"]
    ready.run("%mltrain net --data digits;")
    assert seen["data"] is ready.names["data"]  # the user's own comes first


def test_every_keyword_has_its_option(ready):
    from inspect import signature

    options = ready.shell.magics_manager.magics["line"]["mltrain"].parser.options
    words = [*signature(Trainer).parameters, *signature(Trainer.fit).parameters]
    missing = {w for w in words if f"--{w}" not in options}
    assert missing == {"model", "self", "step"}  # the first word, and what is Python's alone
    assert set(options) - {f"--{word}" for word in words} == {"--resume"}


# --------------------------------------------------------------------------------- the mistakes


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%mltrain nett --data data", "no network 'nett'; did you mean 'net'?"),
        ("%mltrain x --data data", "x holds a Tensor; %mltrain takes a torch.nn.Module"),
        ("%mltrain net", "what to train on? %mltrain net --data VARIABLE"),
        ("%mltrain net --data digit", "no variable or sample 'digit'; did you mean 'digits'?"),
        ("%mltrain net --data dta", "did you mean 'data'?"),
        ("%mltrain net --data data --epoch 3", "no option '--epoch'; did you mean '--epochs'?"),
        ("%mltrain net --data data --epochs many", "invalid int value: 'many'"),
        ("%mltrain net --data data --shuffle maybe", "invalid yes or no value: 'maybe'"),
        ("%mltrain net --data data --loss mes", "did you mean 'mse'?"),
        ("%mltrain net --data data --optimizer adm", "did you mean 'adam"),
        ("%mltrain net --data data --callbacks nothing", "no callback 'nothing'"),
        ("%mltrain net --data data --validation helf", "no variable or sample 'helf'"),
        ("%mltrain net --data data --resume nowhere", "no run 'nowhere'"),
        ("%mltrain net --data data --epochs -1", "epochs is a whole number from 0 up; received -1"),
        ("%mltrain net --data data --batch_size 0", "batch_size is a whole number from 1 up"),
        ('%mltrain net --data data --folder ""', 'folder is "auto", a path, or False'),
        ("%mltrain net --data data --resume . --lr 3", "keeps its own --lr"),
        ("%mlruns nowhere", "no run 'nowhere'"),
    ],
)
def test_a_mistake_is_one_line(ready, line: str, said: str):
    ran = ready.run(line)
    assert said in ran.err, ran.err
    assert ran.err.startswith("UsageError: ")
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.out + ran.err


def test_the_manual_shows_the_same_in_python(ready):
    manual = ready.shell.magics_manager.magics["line"]["mltrain"].__doc__
    assert "The same in Python" in manual
    for argument in ready.shell.magics_manager.magics["line"]["mltrain"].parser.arguments:
        if argument.flag.startswith("-"):
            assert argument.flag in manual, argument.flag


# ------------------------------------------------------------------------------------- the runs


def test_runs_are_listed_resumed_and_overlaid(ready):
    ready.run("first = %mltrain net --data data --epochs 2 --folder kept/first --name first;")
    ready.run("other = %mltrain net --data data --epochs 1 --folder kept/other --name other;")
    ran = ready.run("table = %mlruns --folder kept")
    assert ran.error is None, ran.err
    shown = "".join(o["data"].get("text/html", "") for o in ran.outputs)
    assert "first" in shown
    assert "other" in shown
    ran = ready.run("%mlruns first other")
    assert ran.error is None, ran.err
    assert "data:image/svg+xml" in ran.outputs[0]["data"]["text/html"]

    ran = ready.run("row = %mlruns first --folder kept")
    assert ready.names["row"].folder.name == "first"
    assert "data:image/svg+xml" in ran.outputs[0]["data"]["text/html"]

    ready.run("fresh = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))")
    ran = ready.run("on = %mltrain fresh --data data --epochs 3 --resume kept/first;")
    assert ran.error is None, ran.err
    on = ready.names["on"]
    assert (on.stop_reason, on.epoch) == ("finished", 3)
    assert np.array_equal(
        on.history["loss"][: len(ready.names["first"].history)],
        ready.names["first"].history["loss"],
    )


def test_runs_that_wrote_nothing_are_listed_while_somebody_holds_them(ready):
    ready.run("quick = %mltrain net --data data --epochs 1 --folder no --name quick;")
    shown = "".join(o["data"]["text/html"] for o in ready.run("table = %mlruns").outputs)
    assert "<td>quick</td><td>finished</td><td>1 of 1</td>" in shown
    assert "<td>in memory</td>" in shown
    ran = ready.run("found = %mlruns quick")
    assert ran.error is None
    ready.run("del quick")
    assert ready.names["found"].name == "quick"
    ran = ready.run("%mltrain net --data data --resume quick")
    assert "the run 'quick' is in memory only" in ran.err


# -------------------------------------------------------------------------------- the completion


def test_names_and_options_complete(ready):
    complete = ready.complete
    assert complete("run = %mltrain n") == ["run = %mltrain net"]
    assert complete("%mltrain net --da") == ["%mltrain net --data"]
    assert "%mltrain net --data digits" in complete("%mltrain net --data d")
    assert "%mltrain net --data data" in complete("%mltrain net --data d")
    assert complete("%mltrain net --loss cross") == ["%mltrain net --loss cross_entropy"]
    assert "%mltrain net --optimizer adamw" in complete("%mltrain net --optimizer ad")
    assert complete("%mltrain net --schedule one") == ["%mltrain net --schedule one_cycle"]
    assert complete("%mltrain net --precision b") == ["%mltrain net --precision bf16"]
    assert complete("%mltrain net --metrics prec") == ["%mltrain net --metrics precision"]
    ready.run(f"mine = {TRAIN};")
    assert complete("%mlruns mi") == ["%mlruns mine"]


# ---------------------------------------------------------------------------------- the headless


@pytest.mark.parametrize(
    ("said", "metadata", "expected"),
    [
        (None, {}, True),
        (None, {"cellId": "a1"}, False),
        ("1", {"cellId": "a1"}, True),
        ("0", {}, False),
        ("no", {}, False),
    ],
)
def test_whether_somebody_reads_is_told_by_the_request(monkeypatch, said, metadata, expected):
    class Kernel:
        def get_parent(self, channel):
            return {"metadata": metadata}

    class Shell:
        kernel = Kernel()

    if said is None:
        monkeypatch.delenv("MLNB_HEADLESS", raising=False)
    else:
        monkeypatch.setenv("MLNB_HEADLESS", said)
    assert run_views.headless(Shell()) is expected


def test_the_extension_gives_its_word_back(notebook):
    import mlnb

    before = background.set_headless(None)
    background.set_headless(before)
    mlnb.unload_ipython_extension(notebook.shell)
    assert background.set_headless(None) is not before
    mlnb.load_ipython_extension(notebook.shell)


@pytest.mark.slow
def test_an_executed_notebook_keeps_the_picture_and_nothing_of_before(tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    import mlnb

    monkeypatch.setenv("PYTHONPATH", str(Path(mlnb.__file__).parents[1]))
    monkeypatch.delenv("MLNB_HEADLESS", raising=False)
    make = (
        "%load_ext mlnb\nimport torch\ntorch.set_num_threads(1)\n"
        "net = torch.nn.Linear(4, 2)\ndata = torch.randn(512, 4), torch.randint(0, 2, (512,))"
    )
    train = "%mltrain net --data data --folder no --batch_size 8 --epochs"
    cells = [make, f"{train} 40", f"run = {train} 1 --background", "run.stop_reason"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    _, first, second, last = (cell.outputs for cell in notebook.cells)
    for outputs in (first, second):
        assert [sorted(output.data) for output in outputs] == [["text/html", "text/plain"]]
        assert "data:image/svg+xml" in outputs[0].data["text/html"]
        assert "finished" in outputs[0].data["text/plain"]
        assert len(str(outputs)) < 60_000
    assert last[0].data["text/plain"] == "'finished'"  # background waits for no thread here


def test_a_long_run_is_a_small_picture(ready):
    ready.run("run = %mltrain net --data data --folder no --batch_size 1 --epochs 60;")
    run = ready.names["run"]
    assert run.step == 12_000
    for step in range(0, 12_000, 100):
        run.history.mark(step, "set_lr", f"lr {step}", 0.1)
    assert len(run._repr_html_()) < 55_000
