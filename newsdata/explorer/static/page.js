// Keys and the brush of the day chart. Everything else works without this file.
document.documentElement.classList.add("js");

const $ = (selector, from = document) => from.querySelector(selector);
const items = [...document.querySelectorAll("[data-item]")];
let at = -1;

function choose(step) {
  if (!items.length) return;
  items[at]?.classList.remove("here");
  at = Math.min(Math.max(at + step, 0), items.length - 1);
  items[at].classList.add("here");
  const link = $("a, code[tabindex]", items[at]);
  link?.focus({ preventScroll: true });
  items[at].scrollIntoView({ block: "nearest" });
}

const keys = $("#keys");
const follow = (key) => $(`a[data-key="${key}"]`)?.click();
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, select, textarea, dialog")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "/") { const field = $("#q"); if (field && !field.disabled) { event.preventDefault(); field.focus(); field.select(); } }
  else if (event.key === "?") keys.showModal();
  else if (event.key === "j") choose(1);
  else if (event.key === "k") choose(-1);
  else if (event.key === "Enter" && at >= 0 && event.target === document.body) $("a", items[at])?.click();
  else if ("npu[]".includes(event.key)) follow(event.key);
});

for (const form of document.querySelectorAll("form.search"))
  form.addEventListener("submit", (event) => {
    for (const field of form.elements) if (field.name && field.value === "") field.disabled = true;
    const button = $("button", form);
    button.setAttribute("aria-busy", "true");
    button.textContent = "Searching…";
  });
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

for (const button of document.querySelectorAll("button.copy"))
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText($("code", button.parentElement).textContent);
    button.textContent = "Copied";
  });
for (const link of document.querySelectorAll("a[data-reload]"))
  link.search = new URLSearchParams({ to: location.pathname + location.search });

const plot = $(".js-brush");
if (plot) {
  const { first, step } = plot.dataset;
  const totals = plot.dataset.totals.split(" ").map(Number);
  const of = plot.dataset.of.split(" ").map(Number);
  const readout = $(".readout");
  const day = (bar) => new Date(Date.parse(first) + bar * step * 864e5).toISOString().slice(0, 10);
  const lastDay = (bar) => new Date(Date.parse(first) + ((bar + 1) * step - 1) * 864e5).toISOString().slice(0, 10);
  let start = null, end = null, dragging = false;

  const clamp = (bar) => Math.min(Math.max(bar, 0), totals.length - 1);
  function barAt(event) {
    const svg = [...plot.querySelectorAll("svg")].find((one) => one.getBoundingClientRect().width);
    const box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
    const left = +svg.dataset.left, right = +svg.dataset.right;
    return clamp(Math.floor((((event.clientX - box.left) * scale - left) / (right - left)) * totals.length));
  }
  function show() {
    const low = Math.min(start, end), high = Math.max(start, end);
    for (const svg of plot.querySelectorAll("svg")) {
      const left = +svg.dataset.left, bar = (+svg.dataset.right - left) / totals.length, brush = $(".brush", svg);
      brush.setAttribute("x", left + low * bar);
      brush.setAttribute("width", (high - low + 1) * bar);
      brush.classList.add("on");
    }
    const sum = (counts) => counts.slice(low, high + 1).reduce((a, b) => a + b, 0);
    const days = day(low) === lastDay(high) ? day(low) : `${day(low)} to ${lastDay(high)}`;
    readout.textContent = `${days}: ${sum(totals).toLocaleString("en")} of ${sum(of).toLocaleString("en")} articles`;
  }
  function apply() {
    const address = new URL(location.href);
    address.searchParams.delete("page");
    address.searchParams.set("from", day(Math.min(start, end)));
    address.searchParams.set("to", lastDay(Math.max(start, end)));
    location.assign(address);
  }
  plot.tabIndex = 0;
  plot.setAttribute("role", "group");
  plot.setAttribute("aria-label", "Day chart: arrow keys move, Shift takes more days, Enter filters");
  plot.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    start = end = barAt(event); dragging = true; plot.setPointerCapture(event.pointerId); show();
  });
  plot.addEventListener("pointermove", (event) => {
    if (dragging) { end = barAt(event); show(); }
    else if (event.pointerType === "mouse") {
      const bar = barAt(event);
      readout.textContent = `${day(bar)}${step > 1 ? ` to ${lastDay(bar)}` : ""}: ${totals[bar].toLocaleString("en")} of ${of[bar].toLocaleString("en")} articles`;
    }
  });
  plot.addEventListener("pointerup", () => { if (dragging) { dragging = false; apply(); } });
  plot.addEventListener("pointercancel", () => { dragging = false; });
  plot.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, Home: -totals.length, End: totals.length }[event.key];
    if (move) {
      event.preventDefault();
      end = end === null ? (move > 0 ? 0 : totals.length - 1) : clamp(end + move);
      if (!event.shiftKey || start === null) start = end;
      show();
    } else if (event.key === "Enter" && end !== null) { event.preventDefault(); apply(); }
    else if (event.key === "Escape") { start = end = null; for (const brush of plot.querySelectorAll(".brush")) { brush.setAttribute("width", 0); brush.classList.remove("on"); } }
  });
}
