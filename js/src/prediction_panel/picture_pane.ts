// The panel of a model that takes pictures: what is given is judged one by one, in order.
import { button, h } from "../dom";
import { Cleanup, type Model } from "../host";
import { spoken } from "./bars";
import { chooser, takeFiles } from "./intake";
import type { Line } from "./line";
import { LISTED, PictureList, type Given } from "./picture_list";
import { prepare } from "./prepare";
import { Said } from "./said";
import { Stage } from "./stage";
import type { Message, Talk } from "./talk";
import { Upload } from "./upload";
import { Webcam, reasonOf, whyNoWebcam } from "./webcam";
import { WhySwitch } from "./why";

export class PicturePane {
  readonly actions: Node[];
  readonly element: HTMLElement;
  private readonly asked: HTMLElement;
  private readonly said = new Said();
  private readonly list = new PictureList((given) => this.choose(given));
  private readonly stage: Stage;
  private readonly why: WhySwitch;
  private readonly slider = h("input", { type: "range", label: "opacity of the map" });
  private readonly strength = h(
    "div", { class: "mlnb-muted mlnb-strength" },
    "little", h("span", { class: "mlnb-ramp", role: "img", label: "dark is little, bright is much" }), "much",
    h("label", {}, "opacity", this.slider),
  );
  private upload: Upload | null = null;
  private judging: Given | null = null;
  private explaining: Given | null = null;
  private webcam: Webcam | null = null;
  private closed = false;

  constructor(root: HTMLElement, model: Model, cleanup: Cleanup, private readonly talk: Talk, private readonly line: Line) {
    const choose = chooser((files) => this.take(files));
    this.stage = new Stage(choose.open);
    const camera = h("button", { type: "button", label: "take a picture with the webcam" }, "Webcam");
    camera.addEventListener("click", () => void this.film(camera));
    void whyNoWebcam().then((reason) => this.refuse(camera, reason));
    this.why = new WhySwitch(String(model.get("why_not") ?? ""), () => this.explain(), (reason) => line.tell(reason));
    Object.assign(this.slider, { min: "0", max: "100", value: "60" });
    this.slider.addEventListener("input", () => this.draw());
    this.said.element.append(this.strength);
    this.actions = [button("Choose…", "choose pictures", choose.open), camera, this.why.element];
    this.asked = h("div", { class: "mlnb-ask" }, this.stage.element, this.said.element);
    this.element = h("div", {}, choose.input, this.asked, this.list.element);
    takeFiles(root, cleanup, (files) => this.take(files), (reason) => line.wrong(reason));
    cleanup.add(() => this.close());
    this.draw();
  }

  /** Judge these after those that wait already; the first of them is shown. */
  take(files: File[]): void {
    this.line.clear();
    if (files.length > LISTED) this.line.tell(`${files.length} files are too many at once; the first ${LISTED} are judged`);
    this.endFilm();
    const several = files.slice(0, LISTED).map((file): Given => ({ name: file.name, state: "waiting", file, url: "", request: "", reason: "" }));
    this.list.add(several);
    this.choose(several[0]!);
    if (!this.judging) void this.next();
  }

  /** Show an answer that another view, or a cell, has got. */
  adopt(last: Message & { asked: string; picture: string }): void {
    if (!/^data:image\/(png|jpeg);base64,[A-Za-z0-9+/=]+$/.test(last.picture)) return;
    const given: Given = { name: last.asked, state: "answered", url: last.picture, request: last.request, answer: last, reason: "" };
    this.list.add([given]);
    this.choose(given);
  }

  /** Stop the file that is on its way. */
  cancel(): void {
    if (this.judging) this.finish(this.judging, { state: "wrong", reason: "cancelled" });
  }

  private choose(given: Given): void {
    this.list.chosen = given;
    this.draw();
    if (given.state === "wrong") this.line.wrong(given.reason);
    else if (given !== this.judging && given.state === "answered") this.line.clear();
    this.explain();
  }

  private draw(): void {
    const given = this.list.chosen;
    this.asked.classList.toggle("mlnb-unasked", !given);
    this.stage.show(given, this.why.on ? Number(this.slider.value) / 100 : 0);
    this.said.draw(given?.answer ?? null, given?.milliseconds);
    this.strength.hidden = !this.why.on || !given?.heat;
    this.list.draw();
  }

  // The list has the newest drop first, and a drop in its own order.
  private async next(): Promise<void> {
    const given = this.list.given.find(({ state }) => state === "waiting");
    this.judging = given ?? null;
    if (!given) return;
    given.state = "asked";
    try {
      const { blob, seen } = await prepare(given.file!);
      if (this.closed || given.state !== "asked") return;
      if (seen) given.url = URL.createObjectURL(blob);
      this.draw();
      const began = performance.now();
      this.upload = new Upload(
        this.talk, blob, { name: given.name, unseen: !seen },
        (share) => (share < 1 ? this.line.sending(`sending ${given.name}`, share) : this.line.tell("asking the model")),
        (message, buffers) => this.hear(given, message, buffers, performance.now() - began),
      );
      given.request = this.upload.id;
    } catch (error) {
      this.finish(given, { state: "wrong", reason: (error as Error).message });
    }
  }

  private hear(given: Given, message: Message, buffers: DataView[], milliseconds: number): void {
    if (message.kind === "error") return this.finish(given, { state: "wrong", reason: message.message ?? "" });
    if (buffers[0]) given.url = URL.createObjectURL(new Blob([buffers[0] as DataView<ArrayBuffer>], { type: "image/jpeg" }));
    this.finish(given, { state: "answered", answer: message, milliseconds });
    this.line.speak(`${given.name}: ${spoken(message.bars ?? [])}`);
  }

  private finish(given: Given, outcome: Partial<Given>): void {
    this.upload?.cancel();
    this.upload = null;
    Object.assign(given, outcome, { file: undefined });
    this.line.clear();
    if (this.list.chosen) this.choose(this.list.chosen);
    void this.next();
  }

  /** Ask for the map of the chosen picture, where it is wanted and not there. */
  private explain(): void {
    const given = this.list.chosen;
    this.draw();
    if (!this.why.on || !given?.answer || given.heat || given === this.explaining) return;
    this.explaining = given;
    this.line.tell("looking for the reasons");
    const request = this.talk.open((message, buffers) => {
      if (this.explaining === given) this.explaining = null;
      if (message.kind === "error") return this.line.wrong(message.message ?? "");
      this.line.clear();
      given.heat = { map: buffers[0]!, width: message.width!, height: message.height!, label: message.label ?? "" };
      this.draw();
    });
    this.talk.send("why", request, { of: given.request });
  }

  private async film(camera: HTMLButtonElement): Promise<void> {
    if (this.webcam) return;
    try {
      const left = () => this.endFilm();
      const webcam = await Webcam.start((file) => this.take([file]), left);
      if (this.closed) return webcam.stop();
      this.webcam = webcam;
      this.refuse(camera, "");
      this.line.clear();
      this.stage.film(webcam, null, 0);
    } catch (error) {
      this.refuse(camera, reasonOf(error));
      this.line.wrong(reasonOf(error));
    }
  }

  private endFilm(): void {
    this.webcam?.stop();
    this.webcam = null;
    this.stage.film(null, this.list.chosen, 0);
    this.draw();
  }

  private refuse(camera: HTMLButtonElement, reason: string): void {
    camera.title = reason || "take a picture with the webcam";
    camera.textContent = reason ? "No webcam" : "Webcam";
    if (reason) camera.setAttribute("aria-disabled", "true");
    else camera.removeAttribute("aria-disabled");
    camera.setAttribute("aria-label", reason ? `no webcam: ${reason}` : "take a picture with the webcam");
  }

  private close(): void {
    this.closed = true;
    this.webcam?.stop();
    this.upload?.cancel();
    this.list.forget();
  }
}
