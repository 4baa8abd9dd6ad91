"""Steps that do not count: those that raised, and those whose update was withheld."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlnb.errors import TrainError
from mlnb.train.ledger import rows_of

if TYPE_CHECKING:
    from mlnb.train.ledger import Ledger
    from mlnb.train.run import Run

ONE_ROW = "more than 1 value per channel"


def failed(run: Run, error: Exception, inputs: Any) -> None:
    """A step raised: back to where the last one ended, and on only from a row under batch norm.

    Raises:
        Exception: the error, where it is another one.
        TrainError: where every batch has one row.
    """
    state, guard = run._state, run._step.guard
    if guard is not None:
        guard.restore()
    for optimizer in state.optimizers.values():
        optimizer.zero_grad(set_to_none=True)
    if not isinstance(error, ValueError) or ONE_ROW not in str(error) or rows_of(inputs) != 1:
        raise error
    if not state.batch:
        raise TrainError(
            "batch norm cannot train on batches of one row: it has no spread to divide by. Use "
            "batch_size=2 or more, or layer norm or group norm in the model."
        ) from error
    state.batch += 1
    text = "a batch of one row is skipped in each epoch, because batch norm cannot train on it"
    if text not in run.notices:
        run.say(text)


def withheld(run: Run, ledger: Ledger, steps: int) -> str:
    """Go back to the last good step: NaN or Inf came, and the update was withheld.

    Args:
        run: it stands where the loop noticed.
        ledger: what the steps since the last tick said.
        steps: optimizer steps that were counted since, and never took place.
    """
    state, guard = run._state, run._step.guard
    assert guard is not None
    state.batch -= ledger.forget(steps)
    state.step -= steps
    if state.schedule is not None and steps:
        ledger.put_back_schedule()
    why = guard.why()
    guard.restore()
    ledger.drain()
    text = (
        f"{why} was NaN or Inf at step {state.step + 1:,} (epoch {state.epoch + 1}, batch "
        f"{state.batch + 1:,}); the model is as it was after step {state.step:,}"
    )
    state.history.mark(state.step, "nan", text)
    run.say(f"{text}. Try a lower learning rate or clip_norm=1.0.")
    return "nan"
