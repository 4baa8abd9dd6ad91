// The webcam: whether there is one that may be used, and one picture of it.
import { button, h } from "../dom";
import { blobOf } from "./prepare";

const REASONS: Record<string, string> = {
  NotAllowedError: "the webcam is forbidden for this page; allow it beside the browser's address",
  SecurityError: "the webcam is forbidden for this page",
  NotFoundError: "no webcam was found",
  NotReadableError: "another program uses the webcam",
};

/** Why there is no webcam; empty where one may be tried. Asks nobody for permission. */
export async function whyNoWebcam(): Promise<string> {
  const devices = navigator.mediaDevices;
  if (!devices?.getUserMedia) return "the webcam needs a page from https or localhost";
  const allowed = await navigator.permissions?.query({ name: "camera" as PermissionName }).catch(() => null);
  if (allowed?.state === "denied") return REASONS.NotAllowedError!;
  const found = await devices.enumerateDevices().catch(() => null);
  return found && !found.some(({ kind }) => kind === "videoinput") ? REASONS.NotFoundError! : "";
}

export const reasonOf = (error: unknown): string =>
  REASONS[(error as Error)?.name ?? ""] ?? `the webcam does not start: ${(error as Error)?.message ?? error}`;

/** The live picture with its two buttons; `took` gets the photograph, `stop` ends it. */
export class Webcam {
  readonly element: HTMLElement;
  private readonly video = h("video", { label: "what the webcam sees" });

  private constructor(private readonly stream: MediaStream, took: (file: File) => void, left: () => void) {
    Object.assign(this.video, { srcObject: stream, muted: true, playsInline: true, autoplay: true });
    const take = button("Take the picture", "take the picture", async () => {
      const file = await this.frame();
      this.stop();
      took(file);
    });
    const leave = button("Cancel", "switch the webcam off", () => {
      this.stop();
      left();
    });
    this.element = h("div", { class: "mlnb-webcam" }, this.video, h("div", { class: "mlnb-choices" }, take, leave));
    queueMicrotask(() => take.focus());
  }

  static async start(took: (file: File) => void, left: () => void): Promise<Webcam> {
    const stream = await navigator.mediaDevices.getUserMedia({ video: true });
    return new Webcam(stream, took, left);
  }

  stop(): void {
    for (const track of this.stream.getTracks()) track.stop();
    this.element.remove();
  }

  private async frame(): Promise<File> {
    const canvas = document.createElement("canvas");
    canvas.width = this.video.videoWidth || 640;
    canvas.height = this.video.videoHeight || 480;
    canvas.getContext("2d")!.drawImage(this.video, 0, 0, canvas.width, canvas.height);
    return new File([await blobOf(canvas, "image/jpeg")], "webcam.jpg", { type: "image/jpeg" });
  }
}
