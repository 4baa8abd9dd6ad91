// A file as the kernel gets it: scaled here where the browser can read it, else as it is, to be sent
// in pieces; and what is no picture is refused here, in words.
import { displayText } from "../display_text";
import { bytesText, countText } from "../numbers";

export const SIDE = 1024; // px
export const LARGEST = 256 * 2 ** 20; // bytes
const PIXELS = 50e6; // the kernel's limit
const AS_IT_IS = 2 ** 20; // bytes
const SENT_AS_THEY_ARE = new Set(["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"]);

export interface Prepared {
  blob: Blob;
  seen: boolean; // whether the browser can show it
}

/** Make a file ready to be sent; rejects with an Error whose message is for the reader. */
export async function prepare(file: File): Promise<Prepared> {
  const name = displayText(file.name, 60);
  if (file.size === 0) throw new Error(`${name} is empty; expected a picture`);
  const head = await firstBytes(file, name);
  const pixels = pixelsOfPng(head);
  if (pixels > PIXELS) throw new Error(`${name} has ${countText(pixels)} pixels; the limit is ${countText(PIXELS)}`);
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  if (bitmap) {
    const blob = await scaled(file, bitmap).finally(() => bitmap.close());
    return { blob, seen: true };
  }
  if (!startsLikeAPicture(head)) {
    throw new Error(`${name} is no picture that can be read here; JPEG, PNG, WebP, GIF, BMP and TIFF can`);
  }
  if (file.size > LARGEST) throw new Error(`${name} has ${bytesText(file.size)}; the limit is ${bytesText(LARGEST)}`);
  return { blob: file, seen: false };
}

async function scaled(file: File, bitmap: ImageBitmap): Promise<Blob> {
  const longer = Math.max(bitmap.width, bitmap.height);
  if (longer <= SIDE && file.size <= AS_IT_IS && SENT_AS_THEY_ARE.has(file.type)) return file;
  const scale = Math.min(1, SIDE / longer);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d")!;
  const lossy = file.type === "image/jpeg" || file.type === "image/webp";
  if (lossy) {
    context.fillStyle = "#fff"; // a JPEG has no transparency: white, as the kernel would have it
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return blobOf(canvas, lossy ? "image/jpeg" : "image/png");
}

export function blobOf(canvas: HTMLCanvasElement, type: string): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the browser could not scale the picture"))), type, 0.92);
  });
}

async function firstBytes(file: File, name: string): Promise<DataView> {
  const bytes = await file.slice(0, 24).arrayBuffer().catch(() => {
    throw new Error(`${name} cannot be read; a folder cannot be dropped, its pictures can`);
  });
  return new DataView(bytes);
}

// A few bytes of PNG may claim more pixels than the page has memory for: its header is looked at.
function pixelsOfPng(head: DataView): number {
  const png = head.byteLength >= 24 && head.getUint32(0) === 0x89504e47;
  return png ? head.getUint32(16) * head.getUint32(20) : 0;
}

// What the kernel may be able to read although the browser cannot: told by the first bytes.
function startsLikeAPicture(head: DataView): boolean {
  const text = String.fromCharCode(...new Uint8Array(head.buffer));
  return /^(\xff\xd8\xff|\x89PNG|GIF8|BM|II\*\0|MM\0\*|P[1-6]\s|RIFF....WEBP)/s.test(text);
}
