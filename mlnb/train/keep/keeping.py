"""When a run writes, and where: `Keeping`, which the loop tells of every tick and epoch.

What an explicit folder promises is never broken in silence: it is made before the first step or
the run does not begin. The automatic one is a service, so its failure is one sentence. A disk that
fills up later is one sentence in both, and the next epoch tries again.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mlnb.errors import CheckpointError, MlnbError, TrainError
from mlnb.formatting import display_text, plural
from mlnb.train.keep.kept import Kept
from mlnb.train.keep.run_folder import ASKED, FULL, RunFolder
from mlnb.train.keep.snapshot import take

if TYPE_CHECKING:
    from mlnb.train.keep.packing import Json
    from mlnb.train.state import TrainState

AUTO_SECONDS = 10.0
"""How long a run lasts that is worth a folder nobody asked for."""
AUTO_SHARE = 0.01
"""Of the time, that the checkpoints at the ends of short epochs may cost in such a folder."""
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 10.0
"""What lies between two of them at least, and at most however dear they are."""


class Keeping:
    """Keeps one run; every call happens in the thread that trains, at a step boundary.

    >>> keeping = Keeping("auto", name="digits")
    >>> keeping.begin(state)

    Args:
        folder: "auto" (a run over 10 s writes to `mlnb_runs/<name>-<time>`), a path (from the
            start, every epoch), or False (nothing is written).
        keep: the budget of the kept steps.
        name: of the run.
        describe: what `run.json` shall tell, as JSON.
        note: what is kept beside every checkpoint, as JSON: how the run was begun, and its edits.
        say: takes one-line notices.
        resumed: the folder that the run goes on in, held already.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | bool | None = "auto",
        keep: int | str = "2 GB",
        *,
        name: str = "run",
        describe: Callable[[], dict[str, Json]] = dict,
        note: Callable[[], dict[str, Json]] = dict,
        say: Callable[[str], object] = lambda text: None,
        resumed: RunFolder | None = None,
    ) -> None:
        self.kept = Kept(keep)
        self.kept.note = note
        self._where = folder
        self._name = name
        self._describe = describe
        self._say = say
        self._folder = resumed
        self._began = time.monotonic()
        self._due = -math.inf
        self._complained = ""
        self._running = self._ended = False
        self._text = ""
        self._last: tuple[int, ...] = ()

    @property
    def folder(self) -> Path | None:
        """Where the run is written; None while it is in memory only."""
        return self._folder.path if self._folder else None

    @property
    def auto(self) -> bool:
        """Whether the folder is one that nobody named."""
        return self._where == "auto"

    def begin(self, state: TrainState) -> None:
        """Before the first step: the folder, if one was named, and the first kept step.

        Raises:
            TrainError: nothing can be written to the folder that was named.
            RunBusy: another run holds it.
        """
        self._began, self._ended, self._running = time.monotonic(), False, True
        if self.kept.folder is not None and self._opened(self.kept.folder.path):
            return
        if self._folder is None and self._where not in ("auto", False, None):
            self._folder = RunFolder.create(Path(str(self._where)), self._say)
        if self._folder is not None:
            self._folder.say = self._say
            self.kept.attach(self._folder)
            self._tell()
        # An empty folder that cannot take its first checkpoint will not take a later one.
        if self._folder is not None and not self._folder.entries:
            try:
                self.kept.keep(take(state), "start")
            except OSError as error:
                self._folder.close()
                raise _unwritable(self._folder.path, error) from error
        else:
            self._trying(lambda: self.kept.offer(state, "start"))

    def tick(self, state: TrainState) -> None:
        """A few times a second: a kept step if one is due, the automatic folder after 10 s."""
        if self._folder is None and self.auto and time.monotonic() - self._began >= AUTO_SECONDS:
            self._open_auto()
        self._trying(lambda: self.kept.offer(state))

    def epoch_end(self, state: TrainState) -> None:
        """After an epoch: a checkpoint, in the automatic folder as often as it is cheap."""
        if self._folder is None:
            self._trying(lambda: self.kept.offer(state, "epoch"))
        elif not self.auto or time.monotonic() >= self._due:
            self._save(state, "epoch")

    def request(self, state: TrainState, note: str = "") -> Path | None:
        """A checkpoint because somebody asked; where it lies, if the run has a folder.

        Raises:
            TrainError: it could not be written.
        """
        with self._holding():
            if self._folder is None and self.auto:
                self._open_auto()
            try:
                entry = self.kept.keep(take(state), ASKED, note)
            except OSError as error:
                raise _unwritable(self.folder, error) from error
            self._text = note or self._text
            self._tell()
        return entry.path if entry else None

    def mark(self, state: TrainState, why: str) -> None:
        """Keep the state as it is now, and as the newest: after a rewind or another edit."""
        with self._holding():
            self._save(state, why)

    def before_end(self, state: TrainState) -> None:
        """The last checkpoint, before callbacks put the best weights in place of the last."""
        if self._last != _position(state):
            self._save(state, "end")
        self._ended = True

    def end(self, state: TrainState) -> None:
        """The run has ended: its last checkpoint, if there was none yet; the folder is let go."""
        if not self._ended:
            self.before_end(state)
        if self._folder is not None:
            self._tell()
            self._folder.close()
        self._running = False

    @contextmanager
    def _holding(self) -> Iterator[None]:
        """Hold the folder, also of a run that has ended, for as long as it takes."""
        if self._running:
            yield
            return
        if self._folder is not None:
            self._opened(self._folder.path)
        try:
            yield
        finally:
            if self._folder is not None:
                self._folder.close()

    def _opened(self, path: Path) -> bool:
        """Hold the folder of a run that had ended and trains on; False where it is gone."""
        try:
            self._folder = self.kept.folder = RunFolder.open(path, self._say)
        except CheckpointError:
            self._folder = None
            self.kept.detach()
            self._say(
                f"{display_text(str(path), 200)} is gone, and with it the steps that were kept "
                "there; the run goes on from what is in memory"
            )
            return False
        self._tell()
        return True

    def _save(self, state: TrainState, why: str) -> None:
        began = time.monotonic()
        written = self._trying(lambda: self.kept.keep(take(state), why))
        self._tell()
        if written:
            now = time.monotonic()
            pause = max((now - began) / AUTO_SHARE, SHORTEST_SECONDS)
            self._due, self._last = now + min(pause, LONGEST_SECONDS), _position(state)

    def _open_auto(self) -> None:
        from mlnb.train.keep.runs import make_room, runs_folder

        root = runs_folder()
        try:
            gone = make_room(root)
            folder = RunFolder.create(_free_name(root, self._name), self._say)
        except (OSError, MlnbError) as error:
            self._where = False
            first = display_text(str(error).partition("; give another")[0], 300)
            self._say(f"this run is kept in memory only: {first}")
            return
        if gone:
            names = display_text(", ".join(path.name for path in gone), 300)
            self._say(
                f"to make room, {plural(len(gone), 'old run')} in {root.name} deleted: {names}"
            )
        self._folder = folder
        self._trying(lambda: self.kept.attach(folder))
        self._tell()

    def _tell(self) -> None:
        if self._folder is not None:
            folder = self._folder
            about = {"name": self._name, "auto": self.auto, "when": time.time(), "note": self._text}
            self._trying(lambda: folder.describe(**(about | self._describe())))

    def _trying(self, act: Callable[[], object]) -> bool:
        """Whether it could be written; a reason is said once until one is written again."""
        try:
            if act():  # something was written, and not only looked whether it is due
                self._complained = ""
        except Exception as error:  # noqa: BLE001  what is kept must not end what trains
            why = _why(error)
            if why != self._complained:
                place = display_text(str(self.folder), 200)
                self._say(
                    f"cannot write a checkpoint to {place}: {why}; the one before stays, training "
                    "goes on, and the next epoch tries again"
                )
            self._complained = why
            return False
        return True


def _position(state: TrainState) -> tuple[int, ...]:
    return state.step, state.epoch, state.batch, len(state.history.marks)


def _free_name(root: Path, name: str) -> Path:
    stem = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:60] or "run"
    stamp = time.strftime("%Y%m%d-%H%M%S")
    path, number = root / f"{stem}-{stamp}", 1
    while path.exists():
        number += 1
        path = root / f"{stem}-{stamp}-{number}"
    return path


def _unwritable(path: Path | None, error: OSError) -> TrainError:
    return TrainError(
        f"cannot write a checkpoint to {display_text(str(path), 200)}: {_why(error)}; free some "
        "room, or give another folder, or folder=False to write nothing"
    )


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return "the disk is full" if error.errno in FULL else str(error.strerror or error)
    return display_text(str(error) or type(error).__name__, 300)
