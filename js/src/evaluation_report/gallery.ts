// The rows of a cell, a page at a time: pictures, sentences, or where a row has neither its id.
import { foreign, h } from "../dom";
import { Cleanup, type Model } from "../host";
import { countText } from "../numbers";
import { Thumbnails } from "../thumbnails";
import { coloured, keyOf, type Explained } from "../words";
import type { Report, Row } from "./report";
import { roveList, stopAtFirst } from "./roving";

const PAGE = 24;
const LISTS: Record<string, string> = { picture: "mlnb-shots", text: "mlnb-sentences" };
let requests = 0;

interface Answer {
  kind: string;
  request: number;
  total: number;
  rows: Row[];
}

interface Why extends Explained {
  kind: string;
  row: number;
  problem?: string;
}

/** Rows as Python sends them; `show` begins anew with what is chosen now. */
export class Gallery {
  readonly element = h("div", { class: "mlnb-rows" });
  private readonly said = h("span", { class: "mlnb-muted" });
  private readonly all: HTMLButtonElement;
  private readonly list: HTMLElement;
  private readonly more: HTMLButtonElement;
  private readonly thumbnails: Thumbnails;
  private readonly shown = new Map<number, HTMLButtonElement>();
  private request = 0;
  private picked: Row | null = null;

  constructor(private readonly model: Model, private readonly report: Report, cleanup: Cleanup) {
    this.all = h("button", { type: "button", class: "mlnb-link", on: () => report.set("chosen", {}) }, "show all");
    this.list = h("div", { class: `mlnb-list ${LISTS[report.content] ?? "mlnb-names"}`, role: "group", label: `the ${report.noun}s` });
    this.more = h("button", { type: "button", on: () => this.ask(this.shown.size) });
    this.said.setAttribute("role", "status");
    this.element.append(h("div", { class: "mlnb-which" }, this.said, this.all), this.list, this.more);
    this.more.hidden = true;
    roveList(this.list);
    this.thumbnails = new Thumbnails(model, cleanup);
    this.thumbnails.onArrive((rows) => rows.forEach((row) => this.paint(row)));
    cleanup.follow(model, "msg:custom", ((answer: Answer & Why) => {
      if (answer.kind === "rows" && answer.request === this.request) this.add(answer);
      if (answer.kind === "why" && answer.row === this.picked?.row) this.explain(this.picked, answer);
    }) as never);
  }

  show(): void {
    this.shown.clear();
    this.picked = null;
    this.all.hidden = Object.keys(this.report.chosen).length === 0;
    this.ask(0);
  }

  private ask(first: number): void {
    requests += 1;
    this.request = requests;
    const { chosen, order } = this.report;
    this.model.send({ kind: "rows", request: this.request, first, count: PAGE, chosen, order });
  }

  private add({ rows, total }: Answer): void {
    if (this.shown.size === 0) this.list.replaceChildren();
    for (const row of rows) {
      const item = this.item(row);
      this.shown.set(row.row, item);
      this.list.append(item);
    }
    const rest = total - this.shown.size;
    const [words, count] = [this.report.words(this.report.chosen), this.report.count(total)];
    this.said.textContent = words === "all" ? `all ${count}` : `${words} · ${count}`;
    this.more.hidden = rest <= 0 || rows.length === 0;
    this.more.textContent = `show ${countText(Math.min(rest, PAGE))} of ${countText(rest)} more`;
    stopAtFirst(this.list);
    if (this.report.content === "picture") this.thumbnails.want([...this.shown.keys()]);
    for (const row of rows) this.paint(row.row);
  }

  private item(row: Row): HTMLButtonElement {
    const said = this.report.said(row);
    const item = h("button", { type: "button", class: `mlnb-row${row.wrong ? " mlnb-mistake" : ""}`, on: () => this.pick(row) });
    item.setAttribute("aria-pressed", "false");
    item.setAttribute("aria-label", `${said}; ${row.text ?? row.name}`);
    if (this.report.content === "picture") item.append(h("span", { class: "mlnb-shot" }));
    else item.append(wordsOf(row));
    item.append(h("span", { class: "mlnb-said" }, said));
    item.title = row.name;
    return item;
  }

  /** Put the picture of a row in its place, or why there is none. */
  private paint(row: number): void {
    const place = this.shown.get(row)?.querySelector(".mlnb-shot");
    const thumbnail = place && this.thumbnails.get(row);
    if (!thumbnail) return;
    if (!thumbnail.url) return place.replaceChildren(foreign(thumbnail.reason, 90, "mlnb-warn"));
    const image = h("img");
    image.alt = "";
    image.src = thumbnail.url;
    place.replaceChildren(image);
  }

  private pick(row: Row): void {
    const before = this.picked;
    this.picked = before?.row === row.row ? null : row;
    if (before) this.words(before)?.replaceWith(wordsOf(before));
    for (const [one, item] of this.shown) item.setAttribute("aria-pressed", String(one === this.picked?.row));
    this.model.send({ kind: "pick", rows: this.picked === null ? [] : [row.row] });
    if (!this.picked || !row.text || !this.report.explains) return;
    this.words(row)?.append(h("span", { class: "mlnb-muted mlnb-key" }, "asking the model why…"));
    this.model.send({ kind: "why", row: row.row });
  }

  private explain(row: Row, why: Why): void {
    const words = this.words(row);
    if (why.problem) return words?.replaceWith(wordsOf(row, h("span", { class: "mlnb-warn mlnb-key" }, foreign(why.problem, 300))));
    words?.classList.add("mlnb-explained");
    words?.replaceChildren(...coloured(why.words ?? []), keyOf(why));
  }

  private words(row: Row): Element | null | undefined {
    return this.shown.get(row.row)?.querySelector(".mlnb-words");
  }
}

function wordsOf(row: Row, below?: Node): HTMLElement {
  if (row.text === "") return h("span", { class: "mlnb-words mlnb-muted" }, "(empty)");
  return h("span", { class: "mlnb-words" }, foreign(row.text ?? row.name, 400), below);
}
