from types import SimpleNamespace

from mlnb.train.steer.listeners import Listeners


def test_they_are_told_in_order_until_it_is_undone() -> None:
    told: list[tuple[str, object]] = []
    listeners = Listeners()
    undo = listeners.add(lambda run: told.append(("first", run)))
    listeners.add(lambda run: told.append(("second", run)))
    listeners.tell(7)  # type: ignore[arg-type]
    undo()
    undo()
    listeners.tell(8)  # type: ignore[arg-type]
    assert told == [("first", 7), ("second", 7), ("second", 8)]


def test_one_that_raises_is_left_out_and_the_others_are_told() -> None:
    said: list[str] = []
    told: list[object] = []
    listeners = Listeners()

    def leaves(run: object) -> None:
        undo()
        raise ZeroDivisionError("gone already")

    undo = listeners.add(leaves)
    listeners.add(lambda run: 1 / 0)
    listeners.add(told.append)
    run = SimpleNamespace(say=said.append)
    for _ in range(2):
        listeners.tell(run)  # type: ignore[arg-type]
    assert len(told) == 2
    assert len(said) == 2
    assert "ZeroDivisionError('gone already')" in said[0]
    assert listeners == [told.append]
