// Statistics of a stored weight, read from the file by the kernel when asked. The answer may take as
// long as the running cell; the words under the button say so.
import { displayText } from "../display_text";
import { button, foreign, h } from "../dom";
import { histogram } from "../histogram";
import { Cleanup, type Model } from "../host";
import { countText, valueText } from "../numbers";
import { oddText, pictureOf, rangeText, type Stats } from "../tensor_table/rows";

interface Answer {
  kind: string;
  request?: number;
  name?: string;
  message?: string;
  stats?: Stats | null;
  picture?: string | null;
  slice?: string;
}

const BUSY_MS = 2000;
const SILENT_MS = 30_000;

// Every page that shows this widget hears every answer; a random start keeps their requests apart.
let lastRequest = Math.floor(Math.random() * 2 ** 30);

export class TensorReader {
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  /** What stands in the panel for a weight: its answer, or that it is being read, however often the panel is drawn. */
  private readonly places = new Map<string, HTMLElement>();

  constructor(
    private readonly model: Model,
    private readonly cleanup: Cleanup,
  ) {
    cleanup.follow(model, "msg:custom", (message: Answer) => {
      const take = message?.request === undefined ? undefined : this.waiting.get(message.request);
      if (!take) return;
      this.waiting.delete(message.request!);
      take(message);
    });
  }

  /** Answers of another model are of no use. */
  forget(): void {
    this.places.clear();
  }

  /** A button that turns into the statistics of `value`, a weight of graph number `graph`. */
  element(graph: number, value: string): HTMLElement {
    const key = `${graph}:${value}`;
    const asked = this.places.get(key);
    if (asked) return asked;
    const place = h("div", { class: "mlnb-tensor" });
    place.append(button("Statistics", `statistics of ${displayText(value)}`, () => this.ask(graph, value, key, place)));
    return place;
  }

  private ask(graph: number, value: string, key: string, place: HTMLElement): void {
    const request = ++lastRequest;
    this.places.set(key, place);
    const words = h("div", { class: "mlnb-muted", role: "status" }, "reading…");
    place.replaceChildren(words);
    const timers = [
      setTimeout(() => (words.textContent = "no answer yet: the kernel is busy, or none is running"), BUSY_MS),
      setTimeout(() => (words.textContent = "still no answer; is a kernel running?"), SILENT_MS),
    ];
    const stop = () => timers.forEach(clearTimeout);
    this.cleanup.add(stop);
    this.waiting.set(request, (answer) => {
      stop();
      if (answer.kind !== "tensor" && this.places.get(key) === place) this.places.delete(key); // it may be asked again
      place.replaceChildren(...answerParts(answer));
    });
    this.model.send({ kind: "tensor", request, graph, value });
  }
}

function answerParts({ kind, message, name, stats, picture, slice }: Answer): HTMLElement[] {
  if (kind === "error") return [h("div", { class: "mlnb-warn", role: "alert" }, foreign(message ?? "the kernel gave no reason", 400))];
  const parts: HTMLElement[] = [];
  if (stats) {
    if (stats.histogram.length > 0) parts.push(h("div", {}, histogram(stats.histogram, `values from ${rangeText(stats)}`, 240, 40)));
    parts.push(facts(stats));
  }
  const image = pictureOf(picture, `picture of ${name ?? "the tensor"}`);
  if (image) parts.push(h("div", { class: "mlnb-large" }, image));
  if (slice) parts.push(h("pre", { class: "mlnb-slice" }, sliceText(slice)));
  return parts.length > 0 ? parts : [h("div", { class: "mlnb-muted" }, "nothing to show")];
}

function facts(stats: Stats): HTMLElement {
  const list = h("dl", { class: "mlnb-facts-list" });
  const lines: [string, string][] = [
    ["range", rangeText(stats)],
    ["mean", valueText(stats.mean)],
    ["std", valueText(stats.std)],
    ["zeros", stats.count > 0 ? `${countText(stats.zeros)} of ${countText(stats.count)}` : "–"],
    ["NaN", countText(stats.nan)],
  ];
  for (const [name, value] of lines) list.append(h("dt", {}, name), h("dd", {}, value));
  const odd = oddText(stats);
  if (odd) list.append(h("dt", {}, "not finite"), h("dd", { class: "mlnb-warn" }, odd));
  return list;
}

// Several lines, each of them made harmless.
const sliceText = (slice: string) => slice.split("\n").slice(0, 40).map((line) => displayText(line, 200)).join("\n");
