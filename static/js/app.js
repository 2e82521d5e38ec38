// Comfort only: every page and form works without this file.
"use strict";

const announce = (text) => {
  const region = document.getElementById("announcer");
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, 50);
};

// Copy buttons: <button data-copy="id of an input" data-copied="Copied">; inside data-copy-now, as soon as the dialog opens.
async function copy(button) {
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    if (!document.execCommand("copy")) return;
  }
  const label = button.querySelector("span") ?? button;
  const before = label.textContent;
  if (before === button.dataset.copied) return;
  label.textContent = button.dataset.copied;
  announce(button.dataset.copied);
  setTimeout(() => { label.textContent = before; }, 2000);
}

// Buttons beside a number field: <button data-step="1">. The field tells of it like of any change.
function stepNumber(button) {
  const field = button.closest(".stepper").querySelector("input");
  if (Number(button.dataset.step) > 0) field.stepUp();
  else field.stepDown();
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

// Links marked data-dialog open their page in the dialog, any trouble sends the browser to that page itself.
// A button has no such page: who is refused (4xx) sees the present one anew, other trouble is told there.
const dialog = document.getElementById("dialog");

function openInDialog(link) {
  dialog.dataset.href = link.href;
  // Failures come as events too, see below.
  htmx.ajax("GET", link.href, { target: dialog, swap: "innerHTML" }).catch(() => {});
}

// Whatever opened the dialog gets the focus back. Kept is how to find it: an answer may put another in its place.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target !== dialog || dialog.open) return;
  const menu = document.querySelector(":popover-open");
  menu?.hidePopover();
  dialog.dataset.opener = menu ? `[popovertarget="${menu.id}"]` : `[id="${document.activeElement.id}"]`;
});

dialog.addEventListener("close", () => {
  document.querySelector(dialog.dataset.opener)?.focus();
  dialog.replaceChildren();
  delete dialog.dataset.href;
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== dialog) return;
  if (!dialog.open) dialog.showModal();
  const copyNow = dialog.querySelector("[data-copy-now] [data-copy]");
  if (copyNow) copy(copyNow);
});

// What asks by itself (hx-trigger="every ...") asks again: nobody pressed anything that has to be told of.
for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    const { elt, target, xhr } = event.detail;
    const refused = xhr.status >= 400 && xhr.status < 500;
    const byItself = elt.getAttribute("hx-trigger")?.startsWith("every");
    if (byItself && !refused) return;
    if (byItself || target === dialog && (dialog.dataset.href || refused)) {
      location.assign(dialog.dataset.href ?? location.href);
      return;
    }
    const banner = document.getElementById("request-failed").content.cloneNode(true);
    document.getElementById("messages")?.replaceChildren(banner);
  });
}

document.addEventListener("click", (event) => {
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const copyButton = event.target.closest("[data-copy]");
  const dialogLink = event.target.closest("a[data-dialog]");
  const step = event.target.closest("[data-step]");
  const closer = event.target.closest("#dialog [data-dialog-close]");
  if (copyButton) copy(copyButton);
  if (step) stepNumber(step);
  if (dialogLink && window.htmx) {
    event.preventDefault();
    openInDialog(dialogLink);
  }
  if (closer) {
    event.preventDefault();
    dialog.close();
  }
});

// A button sends its form once, however often it is pressed. Others may share the form: one serves the menus of all
// rows. Forms of htmx use hx-disabled-elt.
const release = (sender) => sender.removeAttribute("data-busy");

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.matches("[hx-post], [data-hx-post]")) return;
  const sender = event.submitter ?? form;
  if (sender.hasAttribute("data-busy")) {
    event.preventDefault();
    return;
  }
  sender.setAttribute("data-busy", "");
  setTimeout(release, 10000, sender);
});

addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("[data-busy]").forEach(release);
});

// The Tab key reaches one bar of a chart, arrow keys the others.
document.addEventListener("keydown", (event) => {
  const bar = event.target.closest(".chart .bar");
  if (!bar) return;
  const bars = [...bar.parentNode.querySelectorAll(".bar")];
  const place = bars.indexOf(bar);
  const next = bars[{ ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: bars.length - 1 }[event.key]];
  if (!next) return;
  event.preventDefault();
  bar.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
});

// A button that chooses the browser's own time zone in a list: <button data-zone-for="id of the list" hidden>.
const zoneButton = document.querySelector("[data-zone-for]");
if (zoneButton) {
  const list = document.getElementById(zoneButton.dataset.zoneFor);
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  zoneButton.hidden = list.value === own || ![...list.options].some((option) => option.value === own);
  zoneButton.addEventListener("click", () => { list.value = own; });
}

// Menus open beside their button; browsers without CSS anchors are told where that is.
if (!CSS.supports("position-area", "block-end")) {
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (event.newState !== "open" || !menu.matches(".menu")) return;
    const button = document.querySelector(`[popovertarget="${menu.id}"]`).getBoundingClientRect();
    const top = button.bottom + menu.offsetHeight + 8 > innerHeight ? button.top - menu.offsetHeight - 4 : button.bottom + 4;
    const left = Math.max(8, Math.min(button.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8));
    Object.assign(menu.style, { inset: "auto", margin: "0", top: `${Math.max(8, top)}px`, left: `${left}px` });
  }, true);
}
