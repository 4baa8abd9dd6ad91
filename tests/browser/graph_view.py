"""What a person does in a graph viewer, wherever it stands: look, click, open, read the panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page

Box = dict[str, Any]


@dataclass(frozen=True)
class GraphView:
    """One viewer in a page.

    Args:
        root: the element with the class `mlnb`.
    """

    root: Locator

    @classmethod
    def on(cls, page: Page, nth: int = 0) -> GraphView:
        """The first viewer on `page` whose picture stands, or the `nth`."""
        root = page.locator(".mlnb-graph-viewer[data-state='ready']").nth(nth)
        root.wait_for()
        return cls(root)

    @property
    def page(self) -> Page:
        return self.root.page

    @property
    def canvas(self) -> Locator:
        return self.root.locator("canvas.mlnb-graph")

    @property
    def panel(self) -> Locator:
        return self.root.locator(".mlnb-panel")

    @property
    def spoken(self) -> str:
        """What a screen reader says of the selection."""
        return self.root.locator(".mlnb-spoken").inner_text()

    def boxes(self) -> dict[str, Box]:
        """Where the boxes of the picture stand, in pixels of its canvas."""
        return {box["id"]: box for box in self.root.evaluate("el => el.mlnb.boxes()")}

    def in_view(self) -> dict[str, Box]:
        """The boxes that stand wholly on the canvas."""
        size = self.canvas.bounding_box()
        assert size is not None
        return {
            name: box
            for name, box in self.boxes().items()
            if box["x"] > 0
            and box["y"] > 0
            and box["x"] + box["width"] < size["width"]
            and box["y"] + box["height"] < size["height"]
        }

    def closed_group(self) -> str:
        """A group in view that is no frame around other boxes."""
        every = self.boxes().values()
        return next(
            name
            for name, group in self.in_view().items()
            if name.endswith("/") and not any(_inside(box, group) for box in every)
        )

    def click(self, name: str) -> None:
        """Click a box in its middle."""
        box = self.boxes()[name]
        middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        self.canvas.click(position=middle)

    def fit(self) -> None:
        """Show the whole graph and wait until it stands still."""
        self.root.get_by_role("button", name="show the whole graph").click()
        self.settle()

    def open(self, name: str) -> set[str]:
        """Select a closed group, open it by Enter, and return the boxes that came."""
        before = self.boxes()
        self.click(name)
        self.canvas.press("Enter")
        self.page.wait_for_function(
            "([el, n]) => el.mlnb.boxes().length > n",
            arg=[self.root.element_handle(), len(before)],
        )
        self.settle()
        return set(self.boxes()) - set(before)

    def settle(self) -> None:
        """Wait until the boxes stop moving."""
        before: dict[str, Box] = {}
        while (now := self.boxes()) != before:
            before = now
            self.page.wait_for_timeout(120)


def _inside(box: Box, other: Box) -> bool:
    return (
        box is not other
        and other["x"] < box["x"] < other["x"] + other["width"]
        and other["y"] < box["y"] < other["y"] + other["height"]
    )
