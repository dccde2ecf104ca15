// Progress of a search by server-sent events instead of asking again and again, and times in the zone of the browser.
"use strict";

let stream = null;

function showLocalTimes() {
  for (const one of document.querySelectorAll("time.local:not([title])")) {
    const at = new Date(one.dateTime);
    if (!Number.isNaN(at.valueOf())) {
      one.title = one.dateTime;
      one.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
    }
  }
}

function follow() {
  const part = document.getElementById("searches"), url = part?.dataset.events;
  if (!url || !window.EventSource) {
    return;
  }
  stream = new EventSource(url);
  stream.onmessage = (event) => {
    if (!part.contains(document.activeElement) && !document.hidden) {
      part.innerHTML = event.data; // made by the server, which escapes everything, under a policy without inline scripts
      htmx.process(part);
      showLocalTimes();
    }
  };
  stream.addEventListener("end", () => stream.close());
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id === "searches" && stream?.readyState === EventSource.OPEN) {
    event.preventDefault();
  }
});
document.addEventListener("htmx:afterSwap", showLocalTimes);
window.addEventListener("pagehide", () => stream?.close());
showLocalTimes();
follow();
