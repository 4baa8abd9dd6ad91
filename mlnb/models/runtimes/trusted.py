"""Runs a trusted model in this process: `call_here`, with the same deadline and interrupt.

It saves the child, and with it what the child protects from: a model that crashes takes the session
along. The run happens on a second thread, because native code in the first would not see an
interrupt; onnxruntime is then told to stop.
"""

from __future__ import annotations

import threading
from typing import Any

from mlnb.errors import ModelTimeout
from mlnb.formatting import seconds_text

_turns = threading.Lock()


def predict_here(*args: Any, timeout: float, **kwargs: Any) -> Any:
    """As `onnxruntime.predict`, here.

    Args:
        args: as there.
        timeout: seconds until the run is told to stop.
        kwargs: as there.

    Raises:
        ModelTimeout: the deadline passed.
    """
    import onnxruntime

    from mlnb.models.runtimes.onnxruntime import predict

    stop = onnxruntime.RunOptions()
    over = threading.Event()
    outcome: list[Any] = []

    def work() -> None:
        try:
            with _turns:
                outcome.extend((predict(*args, run_options=stop, **kwargs), None))
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            outcome.extend((None, error))
        finally:
            over.set()

    threading.Thread(target=work, daemon=True).start()
    try:
        if not over.wait(timeout):
            raise ModelTimeout(
                f"onnxruntime did not answer within {seconds_text(timeout)} and was told to stop. "
                f"Where the model needs longer, pass timeout={2 * timeout:g}"
            )
    finally:
        stop.terminate = True
    value, error = outcome
    if error is not None:
        raise error
    return value
