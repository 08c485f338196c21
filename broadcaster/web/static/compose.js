// The form of an alert: saved while it is typed, previews kept up to date, areas easier to find.
import { keep } from "./draft.js";
import { chart } from "./map.js";
import { measure } from "./lengths.js";
import { pick } from "./picker.js";

const form = document.querySelector("form[data-draft]");
if (form) {
  // What answers a POST is not to be sent again by the button back, or by a reload.
  if (!("kept" in form.dataset)) history.replaceState(null, "", location.href);
  for (const part of form.querySelectorAll(".needs-script")) part.hidden = false;
  for (const part of form.querySelectorAll(".no-script")) part.hidden = true;
  const areas = pick(form.querySelector(".picker"));
  const map = form.querySelector(".area-map");
  if (map) chart(map, areas);
  measure(form);
  keep(form, document.getElementById("preview"), document.getElementById("save-state"));
}
