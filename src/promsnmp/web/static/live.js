// Parts of a page that htmx replaces every few seconds: not while the page is hidden, or a control or selected text in
// such a part is in use, or rows are marked; and a note while PromSNMP does not answer.
"use strict";

function isInUse(part) {
  const selection = document.getSelection();
  const isSelecting = selection && !selection.isCollapsed && part.contains(selection.anchorNode);
  const isMarked = part.querySelector("input:checked") !== null;
  return document.hidden || isSelecting || isMarked || part.contains(document.activeElement);
}

function showContact(isLost) {
  for (const note of document.querySelectorAll(".lost-contact")) {
    note.hidden = !isLost;
  }
  document.body.classList.toggle("stale", isLost);
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.getAttribute("hx-trigger")?.startsWith("every") && isInUse(event.detail.elt)) {
    event.preventDefault();
  }
});
document.addEventListener("htmx:afterRequest", (event) => showContact(!event.detail.successful));
