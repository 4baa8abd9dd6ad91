"""Train: `%mltrain` trains a module, `%mlruns` lists what was trained."""

from __future__ import annotations

import os
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, magics_class
from IPython.display import display

from mlnb.data.samples import list_samples, load_sample
from mlnb.errors import unknown
from mlnb.formatting import display_text
from mlnb.magics import run_views
from mlnb.magics.shell import Argument, Call, MagicError, magic, user_names

if TYPE_CHECKING:
    from mlnb.train.keep.run_table import RunRow, RunTable
    from mlnb.train.run import Run
    from mlnb.train.trainer import Trainer


def _switch(text: str) -> bool:
    if text.lower() in ("yes", "true", "on", "1"):
        return True
    if text.lower() in ("no", "false", "off", "0"):
        return False
    raise ValueError(text)


_switch.__name__ = "yes or no"  # what argparse calls it when it says what is wrong

_OBJECTS = ("loss", "optimizer", "metrics", "schedule", "callbacks")  # may be variables


@magics_class
class TrainMagics(Magics):
    """The magics that train."""

    @magic(
        Argument("model", completes="module"),
        Argument("--data", completes="data", shown="VARIABLE_OR_SAMPLE"),
        Argument("--epochs", kind=int),
        Argument("--validation", completes="variable", shown="SHARE_OR_VARIABLE"),
        Argument("--batch_size", kind=int),
        Argument("--target"),
        Argument("--loss", completes="loss"),
        Argument("--optimizer", completes="optimizer"),
        Argument("--lr", kind=float),
        Argument("--metrics", completes="metric"),
        Argument("--schedule", completes="schedule"),
        Argument("--clip_norm", kind=float),
        Argument("--accumulate", kind=int),
        Argument("--callbacks", completes="variable", shown="VARIABLES"),
        Argument("--class_weight", completes="variable"),
        Argument("--device"),
        Argument("--precision", completes="precision"),
        Argument("--backend", completes="backend"),
        Argument("--seed", kind=int),
        Argument("--shuffle", kind=_switch, shown="yes|no"),
        Argument("--background", switch=True),
        Argument("--health", switch=True),
        Argument("--folder", completes="path"),
        Argument("--keep", shown="SIZE"),
        Argument("--name"),
        Argument("--resume", completes="run", shown="RUN"),
    )
    def mltrain(self, call: Call) -> Run:
        """Train a network, steer it while it trains, and return the run.

        %mltrain NETWORK --data VARIABLE_OR_SAMPLE [--epochs EPOCHS] [OPTION VALUE …]

        NETWORK       the variable that holds it: a `torch.nn.Module`, something with a `module`, or
                      a `Trainer`, which has its own loss, optimizer and the like.
        --data        what to train on: a variable (arrays, tensors, `(x, y)`, a frame, a Dataset, a
                      DataLoader), or the name of a sample.
        --epochs      times through the data; 10 without it.
        --validation  the share of the data to keep back, such as 0.2, or a variable or sample.
        --batch_size  rows a step; 64 without it.
        --target      of a frame: the column that is to be learned.
        --loss, --optimizer, --metrics, --schedule
                      a name (cross_entropy, adamw, accuracy, one_cycle …), several metrics with
                      commas between, or a variable that holds one; without them what fits the data
                      is taken, and said.
        --lr          the learning rate. --clip_norm  the largest norm of the gradients.
        --accumulate  batches a step of the optimizer. --class_weight  balanced, or a variable.
        --callbacks   variables, with commas between.
        --device, --precision, --backend
                      auto, cpu, cuda, mps; auto, fp32, bf16, fp16; eager, compile.
        --seed        of the order of the rows and all else that is random; 0 without it.
        --shuffle     no: take the rows in their order.
        --background  return at once and train on beside the cells.
        --health      measure how each layer learns, and paint the network by it.
        --folder      where checkpoints go; `no` for nowhere; a variable may hold the path; without
                      it to mlnb_runs, once the run has lasted ten seconds.
        --keep        how much disk the steps it keeps may take; 2GB without it.
        --name        of the run; the variable's without it.
        --resume      a run of `%mlruns`, or a folder: go on from its newest checkpoint.

        Stop ends the run and keeps all that was learned; so does interrupting the kernel.

        Examples
        --------
        run = %mltrain net --data digits --epochs 20 --validation 0.2
        run = %mltrain net --data digits --lr 3e-4 --schedule one_cycle --background
        run = %mltrain net --data digits --epochs 40 --resume net
        %mltrain net --data frame --target price --loss huber;    # shows nothing

        The same in Python: `run = mlnb.Trainer(net, lr=3e-4).fit(data, epochs=20, validation=0.2)`,
        and `mlnb.Trainer.resume("mlnb_runs/net-…", data, model=net)`.
        """
        from mlnb.train.trainer import Trainer

        options = {k: v for k, v in vars(call.options).items() if v not in (None, False)}
        if call.options.shuffle is False:
            options["shuffle"] = False
        name = options.pop("model")
        held = _held(call, name)
        if "data" not in options:
            raise MagicError(
                f"what to train on? %mltrain {name} --data VARIABLE, or a sample's name"
            )
        data = _data(call, options.pop("data"))
        resumed = options.pop("resume", None)
        words = {option: _meant(call, option, value) for option, value in options.items()}
        fit = signature(Trainer.fit).parameters
        of_fit = {option: words.pop(option) for option in list(words) if option in fit}
        with run_views.quiet(call.silent):
            run = (
                _trainer(name, held, data, words).fit(data, **{"name": name} | of_fit)
                if resumed is None
                else _resumed(call, held, resumed, data, words, of_fit)
            )
        call.show(run) if run.active or call.silent else None
        return run

    @magic(
        Argument("runs", completes="run", many=True),
        Argument("--folder", completes="path", shown="DIR"),
    )
    def mlruns(self, call: Call) -> Run | RunRow | RunTable | None:
        """List the runs, open the monitor of one that still trains, or lay several over each other.

        %mlruns [RUN …] [--folder DIR]

        RUN       a run's name, or the variable that holds it. Without one all runs are listed:
                  settings, epoch, best, state, folder, note. One that trains gets its monitor, one
                  that has ended its curve; several are drawn in one picture.
        --folder  where to look; without it MLNB_RUNS, or mlnb_runs here.

        Examples
        --------
        %mlruns
        %mlruns net-1
        %mlruns net-1 net-2

        The same in Python: `mlnb.list_runs()`.
        """
        from mlnb.train.keep.runs import list_runs
        from mlnb.train.run import Run

        names, folder = call.options.runs, call.options.folder
        folder = _place(call, folder) if folder else None
        if not names:
            table = list_runs(folder) if folder else list_runs()
            call.show(table)
            return table
        found = [_run(call, name, folder) for name in names]
        if len(found) == 1 and isinstance(found[0], Run):
            call.show(found[0])
        elif not call.silent and not run_views.overlay(found):
            display(_overlaid(found), raw=True)
        return found[0] if len(found) == 1 else None


# ------------------------------------------------------------------------------------ what trains


def _held(call: Call, name: str) -> Any:
    """What the variable holds that can be trained.

    Raises:
        UnknownName: no such variable, with the closest that can be trained.
        MagicError: it holds something else.
    """
    if name not in call.local and name not in call.shell.user_ns and name.isidentifier():
        names = user_names(call.shell, call.local)
        known = [n for n in names if trainable(call.variable(n))]
        if not known:
            raise MagicError(f"no network {name!r}; put a torch.nn.Module into a variable first")
        raise unknown("network", name, known)
    value = call.variable(name, "network")
    if not trainable(value):
        raise MagicError(
            f"{name} holds a {type(value).__name__}; %mltrain takes a torch.nn.Module or a Trainer"
        )
    return value


def trainable(value: object) -> bool:
    """Whether `%mltrain` may take it; told without importing torch or asking the value."""
    classes = {f"{cls.__module__}.{cls.__qualname__}" for cls in type(value).__mro__}
    known = {"torch.nn.modules.module.Module", "mlnb.train.trainer.Trainer"}
    return bool(classes & known) or hasattr(type(value), "module")


def _trainer(name: str, held: Any, data: Any, options: dict[str, Any]) -> Trainer:
    from mlnb.train.trainer import Trainer

    if hasattr(held, "trainer_for"):  # a network of mlnb, which has settings of its own
        made: Trainer = held.trainer_for(data, **options)
        return made
    if not isinstance(held, Trainer):
        return Trainer(held, **options)
    if options:
        flags = ", ".join(f"--{option}" for option in options)
        raise MagicError(
            f"{name} is a Trainer, which was made with its own {flags}: leave that out"
        )
    return held


def _resumed(
    call: Call, held: Any, name: str, data: Any, of_trainer: dict[str, Any], of_fit: dict[str, Any]
) -> Run:
    """Go on with a run; its settings are those it began with."""
    from mlnb.train.trainer import Trainer

    kept = ("validation", "epochs", "background")
    fixed = [f"--{option}" for option in (*of_trainer, *of_fit) if option not in (*kept, *_OBJECTS)]
    if fixed:
        raise MagicError(
            f"a resumed run keeps its own {', '.join(fixed)}: leave that out, or change the "
            "learning rate with run.set_lr(…)"
        )
    model = held.model if isinstance(held, Trainer) else held
    given = {k: v for k, v in of_fit.items() if k in kept}
    objects = {k: v for k, v in of_trainer.items() if k in _OBJECTS}
    return Trainer.resume(_folder(call, name), data, model=model, **given, **objects)


def _folder(call: Call, name: str) -> Path:
    path = _place(call, name)
    if path.is_dir():
        return path
    row = _listed(name, None)
    if row.folder is None:
        raise MagicError(f"the run '{display_text(name)}' has no folder to go on from")
    return row.folder


# ------------------------------------------------------------------------------- what words mean


def _data(call: Call, name: str) -> Any:
    """A variable's value, or a sample.

    Raises:
        UnknownName: neither, with the closest.
    """
    if name in call.local or name in call.shell.user_ns:
        return call.variable(name)
    samples = [sample.name for sample in list_samples()]
    if name in samples:
        return load_sample(name)
    raise unknown("variable or sample", name, [*user_names(call.shell, call.local), *samples])


def _meant(call: Call, option: str, value: Any) -> Any:
    """The value of an option: what was typed, or what the variable holds that was named."""
    if not isinstance(value, str):
        return value
    if option == "validation":
        try:
            return float(value)
        except ValueError:
            return _data(call, value)
    if option == "callbacks":
        return [call.variable(name.strip(), "callback") for name in value.split(",")]
    if option == "class_weight" and value != "balanced":
        return call.variable(value)
    if option == "folder":
        return False if value.lower() in ("no", "none", "false") else _place(call, value)
    if option == "metrics":
        words = [_word(call, word.strip()) for word in value.split(",")]
        return words[0] if words == ["auto"] else words
    return _word(call, value) if option in _OBJECTS else value


def _place(call: Call, text: str) -> Path:
    """A folder; where there is none of that name, the one that a variable of that name holds."""
    path = Path(text).expanduser()
    held = call.local.get(text, call.shell.user_ns.get(text))
    return path if path.exists() or not isinstance(held, str | os.PathLike) else Path(held)


def _word(call: Call, word: str) -> Any:
    """A name of mlnb's as it is; a variable where it holds a loss, an optimizer or the like."""
    for scope in (call.local, call.shell.user_ns):
        value = scope.get(word)
        if callable(value) or hasattr(value, "step"):
            return value
    return word


# ------------------------------------------------------------------------------------- the runs


def _run(call: Call, name: str, folder: Path | None) -> Run | RunRow:
    """A run by its variable, or by its name: one that trains, or one that was kept."""
    from mlnb.train import active
    from mlnb.train.run import Run

    for scope in (call.local, call.shell.user_ns):
        if isinstance(scope.get(name), Run):
            return scope[name]
    live = {run.name: run for run in active.live_runs()}
    return live.get(name) or _listed(name, folder)


def _listed(name: str, folder: Path | None) -> RunRow:
    """A run that was kept on disk, as the table of runs has it."""
    from mlnb.train.keep.runs import list_runs

    return (list_runs(folder) if folder else list_runs())[name]


def _overlaid(runs: list[Any]) -> dict[str, str]:
    """Several runs in one picture."""
    from mlnb.train.run import Run
    from mlnb.train.show import report

    pairs = [(run.name, run.history if isinstance(run, Run) else run.history()) for run in runs]
    names = ", ".join(display_text(run.name) for run in runs)
    return {"text/html": report.overlay(pairs), "text/plain": f"runs: {names}"}
