"""Texts in a real JupyterLab: a table of 100,000, the report's sentences, the panel, the answer."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from lab import Lab, Watch
from playwright.sync_api import Locator, Page, expect

SETUP = """\
%load_ext mlnb
import re
from types import SimpleNamespace
import numpy as np, pandas as pd
from mlnb.widgets.selection import Selection
from mlnb.widgets.text_table import TextTable

class Reader:
    classes_ = ["bad", "good"]
    takes_text = True
    weight = {"loved": 2, "lovely": 2, "friendly": 1.5, "delicious": 2, "cold": -2, "slow": -1,
              "hour": -1.2, "never": -1.5, "rude": -2, "not": -0.7, "beat": 0.2}
    def predict_proba(self, texts):
        found = [sum(self.weight.get(w, 0) for w in re.findall(r"\\w+", t.lower())) for t in texts]
        good = 1 / (1 + np.exp(-np.array(found, float)))
        return np.stack([1 - good, good], 1)
    def explain(self, text):
        sign = 1 if self.predict_proba([text])[0, 1] >= 0.5 else -1
        share = lambda word: sign * self.weight.get(word.lower(), 0) / 2
        found = re.finditer(r"\\w+", text)
        return [SimpleNamespace(start=m.start(), end=m.end(), share=share(m[0])) for m in found]

reader = Reader()
good = ["We loved the bread and the staff was friendly.", "A lovely evening, delicious fish.",
        "You can't beat that.", "Never had anything to complain about here.",
        "The tea was lovely and so were the people who brought it to our table by the window."]
bad = ["We sat an hour and the soup was cold.", "Slow, and the waiter was rude.",
       "It was just not a fun experience.", "Cold coffee. Never again.",
       "<img src=x onerror=alert(1)> was cold \\u202e and rude"]
said = good + bad
long = "The first visit was lovely.\\n\\n" + "Then we sat an hour for cold soup. " * 40
labels = ["good"] * 5 + ["bad"] * 6 + ["good"]
test = pd.DataFrame({"text": [*said, long, ""], "label": labels})
selection = Selection()
"""
TABLE = """\
many = pd.concat([test] * 8334, ignore_index=True).head(100_000)
chances = reader.predict_proba(test.text)
many["predicted"] = np.resize(np.where(chances[:, 1] >= 0.5, "good", "bad"), len(many))
many["probability"] = np.resize(chances.max(1), len(many))
many["split"] = np.where(np.arange(len(many)) % 5, "train", "test")
table = TextTable(many)
table"""
REPORT = "evaluation = %mlevaluate reader test --selection selection"
FEW = "few = TextTable(evaluation, selection=selection, order='most wrong first')\nfew"
ANSWER = '%mlpredict reader "We sat an hour and the soup was cold, but the waiter was friendly."'
PANEL = "panel = %mlpredict reader"


def root(page: Page, at: int = 0) -> Locator:
    return page.locator(".mlnb-text-table[data-state='ready']").nth(at)


def row(page: Page, at: int, table: int = 0) -> Locator:
    return root(page, table).locator(f".mlnb-tile[data-row='{at}']")


def prints(server: Lab, page: Page, code: str, expected: str) -> None:
    """What the kernel prints, as soon as it has heard of what was done on the page."""
    for _ in range(50):
        if (printed := server.execute(page, code).strip()) == expected:
            return
        page.wait_for_timeout(100)
    assert printed == expected


def shots(server: Lab, page: Page, folder: Path, **elements: Locator) -> None:
    for theme in ("Light", "Dark"):
        server.theme(page, f"JupyterLab {theme}")
        for name, element in elements.items():
            element.scroll_into_view_if_needed()
            page.wait_for_timeout(250)
            element.screenshot(path=folder / f"text_{name}_{theme.lower()}.png")
    server.theme(page, "JupyterLab Light")


def test_100000_texts_are_searched_sorted_doubted_and_labelled(
    server: Lab, page: Page, watch: Watch, screenshots: Path
):
    server.write("texts.ipynb", SETUP, TABLE)
    server.open(page, watch, "texts.ipynb")
    server.run_all(page)
    view, shown = root(page), root(page).get_by_role("status")
    expect(row(page, 0)).to_contain_text("We loved the bread")
    assert view.locator(".mlnb-tile").count() < 30
    view.get_by_role("grid").focus()
    page.keyboard.press("End")
    expect(row(page, 99_999)).to_contain_text("Never had anything")
    page.keyboard.press("Home")

    view.get_by_label("search in the texts").fill("SOUP was")
    expect(shown).to_have_text("8,333 shown")
    expect(view.locator(".mlnb-tile mark").first).to_have_text("soup was")
    view.get_by_label("search in the texts").fill("")
    view.get_by_label("filter by correctness").select_option("1")
    view.get_by_label("filter by split").select_option(label="test  20,000")
    view.get_by_label("the largest probability").fill("0.6")
    wrong = "(many.label != many.predicted)"
    few = f"({wrong} & (many.split == 'test') & (many.probability <= 0.6)).sum()"
    expect(shown).to_have_text(f"{int(server.execute(page, f'print({few})')):,} shown")
    view.get_by_label("the largest probability").fill("1")
    view.get_by_label("filter by correctness").select_option("")
    view.get_by_label("filter by split").select_option("")
    view.get_by_role("button", name="sort by probability").click()
    view.get_by_role("button", name="sort by probability").click()
    expect(view.locator(".mlnb-head .mlnb-of-probability")).to_have_attribute(
        "aria-sort", "descending"
    )
    expect(view.locator(".mlnb-tile").first).to_contain_text("The first visit")
    expect(view.get_by_label("order", exact=True)).to_have_value("probability ↓")
    view.get_by_label("order", exact=True).select_option("as they stand")
    expect(view.locator(".mlnb-tile").first).to_contain_text("We loved the bread")

    row(page, 9).click()
    whole = view.get_by_label("the whole text")
    expect(whole).to_have_text("<img src=x onerror=alert(1)> was cold \\u202e and rude")
    row(page, 10).click()
    expect(whole.locator("p")).to_have_count(3)
    expect(whole.locator("p").last).to_contain_text("Then we sat")
    page.keyboard.press("Enter")
    expect(whole).to_be_focused()
    page.keyboard.press("Escape")
    row(page, 2).click()
    page.keyboard.press("w")
    expect(row(page, 2)).to_have_class("mlnb-tile mlnb-chosen mlnb-current mlnb-edited mlnb-marked")
    page.keyboard.press("1")
    read = "print(table.frame.label[2], table.frame.label_looks_wrong[2], many.label[2])"
    prints(server, page, read, "bad True good")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(row(page, 3)).to_have_class(re.compile("mlnb-left-out"))
    prints(server, page, "print(table.frame.left_out.sum(), list(table.selection.ids))", "1 [3]")
    for _ in range(3):
        page.keyboard.press("u")
    expect(view.get_by_role("button", name="undo the last edit")).to_be_disabled()
    prints(server, page, "print(table.frame.equals(many))", "True")
    page.keyboard.press("w")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("1")
    view.get_by_label("search in the texts").fill("an")
    expect(shown).to_have_text("66,667 shown · 1 chosen")
    shots(server, page, screenshots, table=view)
    view.get_by_label("search in the texts").fill("no such words")
    expect(view).to_contain_text("No text is as the filters ask.")

    kept = nbformat_outputs(server, page, "texts.ipynb")[-1]
    assert "<script" not in kept
    assert "<img" not in kept
    assert "We loved the bread" in kept
    assert len(kept) <= 60_000
    page.set_viewport_size({"width": 640, "height": 1000})
    view.get_by_label("search in the texts").fill("")
    expect(view.locator(".mlnb-tile").first).to_contain_text("We loved the bread")
    view.screenshot(path=screenshots / "text_table_narrow.png")


def nbformat_outputs(server: Lab, page: Page, name: str) -> list[str]:
    server.save(page)
    cells = nbformat.read(server.root / name, as_version=4).cells
    return [cell.outputs[0]["data"].get("text/html", "") for cell in cells if cell.outputs]


def test_report_table_answer_and_panel_share_their_sentences(
    server: Lab, page: Page, watch: Watch, screenshots: Path
):
    server.write("sentences_together.ipynb", SETUP, REPORT, FEW, ANSWER, PANEL)
    server.open(page, watch, "sentences_together.ipynb")
    server.run_all(page)
    report = page.locator(".mlnb-evaluation-report[data-state='ready']")
    report.wait_for()
    table = root(page)
    expect(table.locator(".mlnb-tile").first).to_have_class("mlnb-tile mlnb-wrong")
    cell = report.get_by_role("button", name="2 sentences: good, said to be bad")
    cell.click()
    expect(report.locator(".mlnb-row")).to_have_count(2)
    expect(report.locator(".mlnb-row").first).to_contain_text(
        "Never had anything to complain about"
    )
    expect(table).to_contain_text("2 chosen")
    row(page, 0).scroll_into_view_if_needed()
    row(page, 0).click()
    expect(report.locator(".mlnb-which")).to_contain_text("chosen elsewhere · 1 sentence")
    report.get_by_role("button", name="show all").click()
    expect(report.locator(".mlnb-row")).to_have_count(12)
    expect(report.locator(".mlnb-list")).to_contain_text(
        "<img src=x onerror=alert(1)> was cold \\u202e"
    )
    assert report.locator("img").count() == 0
    least = report.get_by_role("button", name="least sure")
    least.press("Enter")
    expect(least).to_have_attribute("aria-pressed", "true")
    report.get_by_role("button", name="most wrong").click()

    answer = page.locator(".jp-OutputArea-output").filter(has_text="speaks for bad")
    expect(answer.locator("b", has_text="cold")).to_have_count(1)
    expect(answer.locator("i", has_text="friendly")).to_have_count(1)
    panel = page.locator(".mlnb-prediction-panel")
    panel.scroll_into_view_if_needed()
    panel.screenshot(path=screenshots / "text_panel_empty.png")
    field = panel.get_by_role("textbox")
    field.fill("We sat an hour and the soup was cold, but the fish")
    expect(panel.locator(".mlnb-shares li").first).to_contain_text("bad")
    expect(panel.locator(".mlnb-behind")).to_contain_text("ms")
    panel.get_by_role("button", name="why?").click()
    field.press("End")
    page.keyboard.type(" was lovely and delicious and the staff friendly.")
    expect(panel.locator(".mlnb-shares li").first).to_contain_text("good", timeout=15_000)
    expect(panel.locator(".mlnb-words > .mlnb-for")).to_have_text(
        ["lovely", "delicious", "friendly"]
    )
    expect(panel.locator(".mlnb-words > .mlnb-against")).to_have_text(["hour", "cold"])
    shots(server, page, screenshots, report=report, few=table, answer=answer, panel=panel)
    field.fill("<img src=x onerror=alert(1)> delicious \u202eevil")
    expect(panel.locator(".mlnb-words")).to_contain_text("\\u202e", timeout=20_000)
