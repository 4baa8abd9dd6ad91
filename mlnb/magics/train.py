"""Train: `%mltrain` trains a module."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, magics_class

from mlnb.magics import run_views
from mlnb.magics.given import data_of
from mlnb.magics.runs import place
from mlnb.magics.shell import Argument, Call, MagicError, magic

if TYPE_CHECKING:
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

        given = vars(call.options).items()
        options = {k: v for k, v in given if v is not None and (v is not False or k == "shuffle")}
        name = options.pop("model")
        held = _held(call, name)
        if "data" not in options:
            raise MagicError(
                f"what to train on? %mltrain {name} --data VARIABLE, or a sample's name"
            )
        data = data_of(call, options.pop("data"))
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


# ------------------------------------------------------------------------------------ what trains


def _held(call: Call, name: str) -> Any:
    """What the variable holds that can be trained.

    Raises:
        UnknownName: no such variable, with the closest that can be trained.
        MagicError: it holds something else.
    """
    value = call.variable(name, "network", trainable)
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


def _folder(call: Call, name: str) -> Path | str:
    """What `resume` finds the run by: its folder, or its name."""
    path = place(call, name)
    return path if path.is_dir() else name


# ------------------------------------------------------------------------------- what words mean


def _meant(call: Call, option: str, value: Any) -> Any:
    """The value of an option: what was typed, or what the variable holds that was named."""
    if not isinstance(value, str):
        return value
    if option == "validation":
        try:
            return float(value)
        except ValueError:
            return data_of(call, value)
    if option == "callbacks":
        return [call.variable(name.strip(), "callback") for name in value.split(",")]
    if option == "class_weight" and value != "balanced":
        return call.variable(value)
    if option == "folder":
        return False if value.lower() in ("no", "none", "false") else value and place(call, value)
    if option == "metrics":
        words = [_word(call, word.strip()) for word in value.split(",")]
        return words[0] if words == ["auto"] else words
    return _word(call, value) if option in _OBJECTS else value


def _word(call: Call, word: str) -> Any:
    """A name of mlnb's as it is; a variable where it holds a loss, an optimizer or the like."""
    for scope in (call.local, call.shell.user_ns):
        value = scope.get(word)
        if callable(value) or hasattr(value, "step"):
            return value
    return word
