// After a page was reloaded while a cell trains, JupyterLab cannot bring its widgets back: it asks
// for them in messages that the cell keeps waiting. The kernel notices a new page and sends it a
// second monitor; without a view to stand in, it takes the place of the picture of the first one.
import { text, type Model } from "../host";

const LOOK_MS = [300, 1000, 2500, 5000];

interface Manager {
  get_model?(id: string): Promise<unknown>;
  create_view?(model: unknown): Promise<{ el: HTMLElement; remove(): void }>;
}

/** Called for every model; only one that the kernel sent to a new page has work to do. */
export function standIn({ model }: { model: Model }): (() => void) | void {
  if (text(model, "stands_in") === "") return;
  let view: { el: HTMLElement; remove(): void } | undefined;
  let gone = false;
  let making = false;
  const look = async (): Promise<void> => {
    if (gone || view || shownAlready(text(model, "static_id"))) return;
    const place = document.querySelector<HTMLElement>(`[data-mlnb-static="${CSS.escape(text(model, "static_id"))}"]`);
    const manager = model.widget_manager as Manager | undefined;
    const id = text(model, "stands_in"); // anywidget hands out a part of the model, a view needs all of it
    if (!place || id === "new" || making || !manager?.create_view || !manager.get_model) return;
    making = true;
    const left = place.closest<HTMLElement>(".jp-OutputArea-output")?.offsetLeft ?? 0;
    const made = await manager.create_view(await manager.get_model(id));
    if (gone || shownAlready(text(model, "static_id"))) return made.remove();
    view = made;
    const output = place.closest<HTMLElement>(".jp-OutputArea-child") ?? place;
    const waiting = output.nextElementSibling; // "Loading widget...", for the first monitor
    output.after(made.el);
    made.el.style.marginLeft = `${left}px`;
    if (waiting instanceof HTMLElement && waiting.matches(".jp-OutputArea-child")) waiting.style.display = "none";
    made.el.dispatchEvent(new Event("displayed"));
  };
  const timers = LOOK_MS.map((after) => setTimeout(() => void look(), after));
  return () => {
    gone = true;
    timers.forEach(clearTimeout);
    view?.remove();
  };
}

function shownAlready(id: string): boolean {
  return document.querySelector(`.mlnb-training-monitor[data-monitor="${CSS.escape(id)}"]`) !== null;
}
