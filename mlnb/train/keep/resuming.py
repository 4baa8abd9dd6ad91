"""Going on with a run of which only its folder is left: `prepare`, behind `Trainer.resume`.

A checkpoint keeps the words that the run was begun with, beside its weights and under the same sum.
What was an object (a loss of one's own, callbacks, arrays) has left its name only: pickle could
bring it back, together with whatever else the file says to run, so it is asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from mlnb.errors import CheckpointError, TrainError, unknown
from mlnb.formatting import display_text
from mlnb.train.keep.begun import fingerprint, objects_in, other_data, record
from mlnb.train.keep.differences import difference_text, model_differences
from mlnb.train.keep.run_folder import RunFolder
from mlnb.train.keep.runs import is_auto, is_run, list_runs, runs_folder
from mlnb.train.keep.snapshot import Snapshot, put_back

if TYPE_CHECKING:
    from mlnb.train.feed.data import Prepared
    from mlnb.train.state import TrainState

ELSEWHERE = ("background", "device", "precision", "backend", "callbacks", "keep", "name")
"""Words that may be others than they were: they change where and how, not what comes out."""


@dataclass
class Resumed:
    """A run to go on with.

    Args:
        snapshot: the newest that is whole.
        folder: the run's, held.
        trainer: the words of `Trainer`, without the model.
        fit: the words of `fit`, without the data.
        notes: sentences to say.
    """

    snapshot: Snapshot
    folder: RunFolder
    trainer: dict[str, Any]
    fit: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    def apply(
        self,
        state: TrainState,
        prepared: Prepared,
        say: Callable[[str], object] = lambda text: None,
    ) -> None:
        """Put the run where it was; its folder is let go where that fails.

        Raises:
            CheckpointError: model or optimizer are not those of the run; nothing was changed.
            DataError: the order of rows cannot be the run's.
        """
        try:
            notes = put_back(state, self.snapshot)
        except BaseException:
            self.close()
            raise
        then, now = self.snapshot.note.get("data"), fingerprint(prepared)
        for note in [*self.notes, *notes, *other_data(then, now)]:
            say(note)
        where = f"epoch {state.epoch + 1}"
        if state.batch:
            where += f", after {state.batch:,} batches"
        say(f"goes on from step {state.step:,} ({where}) of {display_text(self.folder.path.name)}")
        state.history.mark(state.step, "resumed")

    def close(self) -> None:
        """Let go of the folder."""
        self.folder.close()


def prepare(
    folder: str | Path,
    *,
    model: Any,
    validation: Any = None,
    epochs: int | None = None,
    given: Mapping[str, Any] | None = None,
    say: Callable[[str], object] | None = None,
) -> Resumed:
    """Hold the folder, read the newest whole checkpoint, and bring the words together.

    >>> resumed = prepare("mlnb_runs/net-1-20260501-101500", model=net)
    >>> resumed.snapshot.step
    1200

    Args:
        folder: the run's folder, or its name in the table of runs.
        model: a module built as the run's was, or a dict of them by name.
        validation: what the run was measured on, where that was data and not a share.
        epochs: the planned number in all, where it is to be another one.
        given: words that were objects, by name.
        say: takes notices; without it they are in `notes`.

    Raises:
        CheckpointError: no checkpoint is whole, or the model is another one.
        RunBusy: the run still trains.
        TrainError: a word that was an object is not given again; the message names it.
        UnknownName: no such run.
    """
    notes: list[str] = []
    held = RunFolder.open(find(folder), say or notes.append)
    try:
        snapshot = held.newest()
        _check_model(model, snapshot)
        trainer, fit = _settings(snapshot, held.path)
        words = dict(given or {})
        if validation is not None:
            words["validation"] = validation
        _bring(words, trainer, fit)
    except BaseException:
        held.close()
        raise
    fit["folder"] = "auto" if is_auto(held.path) else str(held.path)
    fit["name"] = snapshot.note.get("name") or fit.get("name")
    if epochs is not None:
        fit["epochs"] = epochs
    elif isinstance(fit.get("epochs"), int) and snapshot.epoch >= fit["epochs"]:
        notes.append(
            f"all {fit['epochs']} epochs of the run are done; epochs={2 * fit['epochs']} trains on"
        )
    return Resumed(snapshot, held, trainer, fit, notes)


def find(folder: str | Path) -> Path:
    """The folder of a run by its path or its name, of equal ones the newest.

    >>> find("net-20260501-101500")

    Raises:
        CheckpointError: there is no such folder, or the run of that name has none.
        UnknownName: there is no such run; the message has the closest names.
    """
    path, name = Path(folder).expanduser(), str(folder)
    if path.name != name:
        if not path.is_dir():
            raise CheckpointError(f"no folder {display_text(str(path), 200)} to go on with")
        return path
    for place in (path, runs_folder() / name):
        if is_run(place):
            return place
    rows = list_runs()
    named = [row.folder for row in rows if name in (row.name, row.title)]
    kept = next((folder for folder in named if folder is not None), None)
    if named and kept is None:
        raise CheckpointError(
            f"the run '{display_text(name)}' is in memory only and has no folder to go on from; "
            "run.resume() goes on with it"
        )
    if kept is None:
        raise unknown("run", name, [row.name for row in rows])
    return kept


# ---------------------------------------------------------------------------------- its settings


def _settings(snapshot: Snapshot, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    settings = snapshot.note.get("settings")
    try:
        return dict(settings["trainer"]), dict(settings["fit"])  # type: ignore[index]
    except (TypeError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"the checkpoint in {display_text(str(path), 200)} does not say how the run was "
            "begun; read it by mlnb.train.keep.checkpoint.read"
        ) from error


def _bring(given: Mapping[str, Any], trainer: dict[str, Any], fit: dict[str, Any]) -> None:
    """Put what was given in the place of what could not be written down."""
    names = [*trainer, *fit]
    for name, value in given.items():
        words = trainer if name in trainer else fit
        if name not in words:
            raise unknown("setting of a run", name, names)
        if name not in ELSEWHERE and not objects_in(words[name]) and record(value) != words[name]:
            raise TrainError(
                f"the run was begun with {name}={display_text(repr(words[name]))}, and resume "
                f"goes on with that; received {display_text(repr(record(value)))}. To train on "
                "with another one, resume, and then fork or set_lr"
            )
        words[name] = value
    missing = {
        name: objects_in(value)
        for words in (trainer, fit)
        for name, value in words.items()
        if name not in given and objects_in(value)
    }
    if missing:
        objects = ", ".join(
            f"{display_text(name)} ({display_text(what, 200)})" for name, what in missing.items()
        )
        again = ", ".join(f"{display_text(name)}=…" for name in missing)
        raise TrainError(
            f"the run was begun with objects that a checkpoint cannot hold: {objects}; give them "
            f"again: resume(folder, data, model=model, {again})"
        )


# --------------------------------------------------------------------------------- what is given


def _check_model(model: Any, snapshot: Snapshot) -> None:
    bare = getattr(model, "module", None)
    model = bare if isinstance(bare, nn.Module) and not isinstance(model, nn.Module) else model
    models = model if isinstance(model, Mapping) else {"model": model}
    saved = snapshot.plan["models"]
    found = []
    if set(models) != set(saved):
        found.append(f"the models are {sorted(models)}, those of the run {sorted(saved)}")
    for name in models:
        if name in saved and isinstance(models[name], nn.Module):
            if any(isinstance(part, _LAZY) for part in models[name].parameters()):
                continue
            found += model_differences(models[name], snapshot, name)
    if found:
        raise CheckpointError(f"the model is not that of the run: {difference_text(found)}")


_LAZY = nn.parameter.UninitializedParameter
