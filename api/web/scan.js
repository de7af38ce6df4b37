/* Pictures: a page with boxes over it, crops of it, and previews of files not yet sent. All are drawn on canvases. */

import { getBlob } from "./client.js";
import { el, icon, svg } from "./dom.js";
import { isUnsure } from "./words.js";

const KEPT_PICTURES = 8;
const CROP_MARGIN = 0.12;
const pictures = new Map();

/** Return the picture of a page as an ImageBitmap; the last few are kept. */
export function pagePicture(documentId, index) {
  const path = `/v1/documents/${encodeURIComponent(documentId)}/pages/${index}.webp`;
  const kept = pictures.get(path);
  pictures.delete(path);
  const picture = kept ?? getBlob(path).then((blob) => createImageBitmap(blob));
  pictures.set(path, picture);
  picture.catch(() => pictures.delete(path));
  if (pictures.size > KEPT_PICTURES) pictures.delete(pictures.keys().next().value);
  return picture;
}

/** Return whether the browser can draw a file. */
export const isPicture = (file) => /^image\/(?!tiff)/.test(file.type);

/** Return a picture, from a file or an address, drawn to fit `width` by `height`; it is not kept. */
export async function thumbnail(source, { width, height }) {
  const blob = source instanceof Blob ? source : await getBlob(source);
  const bitmap = await createImageBitmap(blob);
  const canvas = el("canvas", { "aria-hidden": "true" });
  const density = Math.min(window.devicePixelRatio || 1, 2);
  const scale = Math.min(width / bitmap.width, height / bitmap.height);
  const [w, h] = [Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale))];
  [canvas.width, canvas.height] = [w * density, h * density];
  canvas.style.width = `${w}px`;
  canvas.style.height = `${h}px`;
  drawSmooth(canvas).drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas;
}

function drawSmooth(canvas) {
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  return context;
}

/** Draw the part of a page's picture inside `box` (in pixels of the page) on `canvas`, centred, with a margin. */
export function drawCrop(canvas, picture, page, box) {
  const scale = picture.width / page.width;
  const side = Math.max(box.width, box.height, 4) * (1 + 2 * CROP_MARGIN);
  const pixels = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1)) || 96;
  canvas.width = canvas.height = pixels;
  const context = drawSmooth(canvas);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, pixels, pixels);
  const left = box.x + box.width / 2 - side / 2;
  const top = box.y + box.height / 2 - side / 2;
  context.drawImage(picture, left * scale, top * scale, side * scale, side * scale, 0, 0, pixels, pixels);
  fadeAround(context, { box, left, top, zoom: pixels / side, pixels });
}

/** Fade what lies beside the box: its neighbours tell where the digit stands, and must not be taken for it. */
function fadeAround(context, { box, left, top, zoom, pixels }) {
  const margin = 2;
  const veil = new Path2D();
  veil.rect(0, 0, pixels, pixels);
  veil.rect((box.x - left) * zoom - margin, (box.y - top) * zoom - margin, box.width * zoom + 2 * margin, box.height * zoom + 2 * margin);
  context.fillStyle = "rgb(255 255 255 / 80%)";
  context.fill(veil, "evenodd");
}

/** Return a figure that shows `picture` at the page's size, with `label` for people who do not see it. */
export function scanFigure(picture, { width, height, label }) {
  const canvas = el("canvas", { role: "img", "aria-label": label });
  [canvas.width, canvas.height] = [picture.width, picture.height];
  canvas.getContext("2d").drawImage(picture, 0, 0);
  const holder = el("div.scan-picture", {}, canvas);
  holder.style.setProperty("--ratio", width / height);
  holder.style.setProperty("--page", width);
  const frame = el("div.scan-frame", {}, holder);
  return { frame, holder };
}

/** Return what stands in for a picture that cannot be shown. */
export function scanNote(text, name = "file") {
  return el("div.scan-frame", {}, el("div.scan-note", {}, icon(name, ""), el("p", {}, text)));
}

/** Return a figure of a file that was not sent yet, scaled to what a screen can show. */
export async function filePreview(file) {
  if (!isPicture(file)) return scanNote("No preview for this kind of file here. Its pages appear once they are read.");
  try {
    const bitmap = await createImageBitmap(file);
    const figure = scanFigure(bitmap, { width: bitmap.width, height: bitmap.height, label: `Preview of ${file.name}` });
    bitmap.close();
    return figure.frame;
  } catch {
    return scanNote("This file does not open as an image. You can still send it to see what the reader says.", "failed");
  }
}

/** Lay the boxes of a page's fields over its picture; `onField(index)` when one is pointed at and pressed. */
export function boxesOver(holder, page, onField) {
  const layer = svg("svg", { class: "scan-boxes", viewBox: `0 0 ${page.width} ${page.height}`, "aria-hidden": "true" });
  page.fields.forEach((field, index) => {
    const rect = boxRect(field.box, `field${field.accepted ? "" : " look"}`);
    rect.addEventListener("click", () => onField(index));
    layer.append(rect);
  });
  holder.append(layer);
  return {
    /** Show one field's digits, the field and one of its digits standing out. */
    select(fieldIndex, digitIndex) {
      layer.querySelectorAll(".digit").forEach((rect) => rect.remove());
      layer.querySelectorAll(".field").forEach((rect, index) => rect.classList.toggle("selected", index === fieldIndex));
      (page.fields[fieldIndex]?.digits ?? []).forEach((digit, index) => {
        layer.append(boxRect(digit.box, `digit${isUnsure(digit) ? " look" : ""}${index === digitIndex ? " selected" : ""}`));
      });
    },
  };
}

function boxRect(box, className) {
  return svg("rect", { x: box.x, y: box.y, width: box.width, height: box.height, class: className });
}
