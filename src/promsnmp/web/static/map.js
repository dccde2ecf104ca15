// The map of devices: wheel, drag, pinch and keys move the view, which stays when the map is drawn anew.
"use strict";

const NEAR = 0.45; // pixels for a unit of the drawing, from which on all names are shown
let view = null; // {x, y, width, height}; null: everything
let dragged = null;
const fingers = new Map();

const picture = () => document.querySelector("svg.map");

function whole(svg) {
  const [x, y, width, height] = svg.dataset.whole.split(" ").map(Number);
  return { x, y, width, height };
}

function show(svg) {
  svg.dataset.whole ??= svg.getAttribute("viewBox");
  const at = view ?? whole(svg);
  svg.setAttribute("viewBox", `${at.x} ${at.y} ${at.width} ${at.height}`);
  const box = svg.getBoundingClientRect();
  svg.classList.toggle("near", Math.min(box.width / at.width, box.height / at.height) > NEAR);
}

function point(svg, x, y) {
  return new DOMPoint(x, y).matrixTransform(svg.getScreenCTM().inverse());
}

function zoom(svg, factor, x, y) {
  const at = view ?? whole(svg), all = whole(svg);
  const width = Math.min(Math.max(at.width * factor, 200), 4 * all.width), by = width / at.width;
  view = { x: x - (x - at.x) * by, y: y - (y - at.y) * by, width, height: at.height * by };
  show(svg);
}

function zoomCentre(svg, factor) {
  const at = view ?? whole(svg);
  zoom(svg, factor, at.x + at.width / 2, at.y + at.height / 2);
}

function move(svg, dx, dy) {
  const at = view ?? whole(svg);
  view = { ...at, x: at.x + dx, y: at.y + dy };
  show(svg);
}

function start() {
  const svg = picture();
  document.querySelector(".map-tools").hidden = svg === null;
  if (svg !== null) {
    show(svg);
    svg.parentElement.tabIndex = 0;
    svg.parentElement.setAttribute("role", "group");
    svg.parentElement.setAttribute("aria-label", "Map; plus, minus, arrows and 0 move the view. The table below has the same.");
  }
}

document.addEventListener("click", (event) => {
  const kind = event.target.dataset?.map, svg = picture();
  if (kind && svg) {
    if (kind === "all") {
      view = null;
      show(svg);
    } else {
      zoomCentre(svg, kind === "in" ? 0.7 : 1 / 0.7);
    }
  } else if (dragged?.hasMoved && svg?.contains(event.target)) {
    event.preventDefault(); // the end of a drag is no click on a device
  }
  dragged = null;
}, true);
document.addEventListener("wheel", (event) => {
  const svg = picture();
  if (svg?.contains(event.target) && (event.ctrlKey || document.activeElement === svg.parentElement)) {
    event.preventDefault();
    const at = point(svg, event.clientX, event.clientY);
    zoom(svg, Math.exp(Math.sign(event.deltaY) * 0.2), at.x, at.y);
  }
}, { passive: false });
document.addEventListener("pointerdown", (event) => {
  const svg = picture();
  if (svg?.contains(event.target)) {
    fingers.set(event.pointerId, event);
    dragged = { x: event.clientX, y: event.clientY, hasMoved: false };
  }
});
document.addEventListener("pointermove", (event) => {
  const svg = picture(), before = fingers.get(event.pointerId);
  if (!svg || !before) {
    return;
  }
  if (fingers.size === 2) {
    const other = [...fingers.values()].find((one) => one.pointerId !== event.pointerId);
    const was = Math.hypot(before.clientX - other.clientX, before.clientY - other.clientY);
    const is = Math.hypot(event.clientX - other.clientX, event.clientY - other.clientY);
    const at = point(svg, other.clientX, other.clientY);
    zoom(svg, was / Math.max(is, 1), at.x, at.y);
  } else {
    const from = point(svg, before.clientX, before.clientY), to = point(svg, event.clientX, event.clientY);
    move(svg, from.x - to.x, from.y - to.y);
  }
  if (dragged && Math.hypot(event.clientX - dragged.x, event.clientY - dragged.y) > 4) {
    dragged.hasMoved = true;
  }
  fingers.set(event.pointerId, event);
});
for (const kind of ["pointerup", "pointercancel"]) {
  document.addEventListener(kind, (event) => fingers.delete(event.pointerId));
}
document.addEventListener("dragstart", (event) => picture()?.contains(event.target) && event.preventDefault());
document.addEventListener("keydown", (event) => {
  const svg = picture();
  if (!svg || document.activeElement !== svg.parentElement) {
    return;
  }
  const step = (view ?? whole(svg)).width / 10;
  const keys = {
    "+": () => zoomCentre(svg, 0.7), "-": () => zoomCentre(svg, 1 / 0.7), 0: () => { view = null; show(svg); },
    ArrowLeft: () => move(svg, -step, 0), ArrowRight: () => move(svg, step, 0),
    ArrowUp: () => move(svg, 0, -step), ArrowDown: () => move(svg, 0, step),
  };
  if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});
document.addEventListener("htmx:afterSwap", start);
start();
