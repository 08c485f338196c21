// The wards to choose from: search without accents, and a count. Without this it is a plain form.
const plain = (text) =>
  text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/\p{M}/gu, "").replaceAll("-", " ").trim();

const form = document.getElementById("picker");
const boxes = [...form.querySelectorAll('input[name="area"]')];
const groups = [...form.querySelectorAll("details.group")];
const seek = document.getElementById("seek");
const found = document.getElementById("seek-found");
const count = document.getElementById("count");
const names = new Map(boxes.map((box) => [box, plain(box.parentElement.textContent)]));
const opened = new Set(groups.filter((group) => group.open));

function tally() {
  const chosen = boxes.filter((box) => box.checked).length;
  count.textContent = form.dataset.count.replace("{n}", chosen).replace("{most}", form.dataset.most);
  for (const box of boxes) box.disabled = !box.checked && chosen >= Number(form.dataset.most);
}

// What is chosen is never hidden.
function look() {
  const wanted = plain(seek.value);
  let hits = 0;
  for (const [box, name] of names) {
    const hit = name.includes(wanted);
    hits += hit ? 1 : 0;
    box.closest("li").hidden = !(hit || box.checked);
  }
  for (const group of groups) {
    const shown = [...group.querySelectorAll("li")].some((item) => !item.hidden);
    group.hidden = !shown;
    group.open = wanted ? shown : opened.has(group);
  }
  found.textContent = wanted ? form.dataset.found.replace("{n}", hits) : "";
}

for (const part of form.querySelectorAll(".needs-script")) part.hidden = false;
form.addEventListener("change", tally);
seek.addEventListener("input", look);
seek.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault();
});
tally();
