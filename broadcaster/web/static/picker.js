// The tree of areas: three-state parents, a count, and search without accents. Without this it is a plain form.

const plain = (text) =>
  text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/\p{M}/gu, "").replaceAll("-", " ").trim();

const boxOf = (item) => item.querySelector(":scope > label > input");
const below = (item) => [...item.querySelectorAll(":scope > details > ul > li")];

export function pick(picker) {
  const tree = picker.querySelector(".tree");
  const count = picker.querySelector("#area-count");
  const found = picker.querySelector("#area-found");
  const search = picker.querySelector("#area-search");
  const tops = [...tree.querySelectorAll(":scope > ul > li")];
  const opened = new Set([...tree.querySelectorAll("details[open]")]);
  const leaves = new Map();
  for (const item of tree.querySelectorAll("li")) if (!below(item).length) leaves.set(boxOf(item).value, item);
  let names;
  let watcher = () => {};

  // A parent that is ticked stands for all below it: they show as ticked, and are not sent.
  function settle(item, covered) {
    const box = boxOf(item);
    const children = below(item);
    if (covered) box.checked = true;
    box.disabled = covered;
    if (!children.length) return [box.checked ? 1 : 0, 1];
    let chosen = 0;
    let all = 0;
    for (const child of children) {
      const [part, whole] = settle(child, box.checked);
      chosen += part;
      all += whole;
    }
    box.indeterminate = !box.checked && chosen > 0;
    tally(item, chosen, all);
    return [chosen, all];
  }

  function tally(item, chosen, all) {
    let label = item.querySelector(":scope > label > .n");
    if (!label) {
      label = document.createElement("span");
      label.className = "n";
      boxOf(item).parentElement.append(label);
    }
    label.textContent = `${chosen}/${all}`;
  }

  function draw() {
    let chosen = 0;
    for (const item of tops) chosen += settle(item, false)[0];
    count.textContent = picker.dataset.count.replace("{n}", chosen);
    watcher(new Set([...leaves].filter(([, item]) => boxOf(item).checked).map(([code]) => code)));
  }

  // One commune, wherever it is pressed. Out of a parent that is ticked it goes alone: its neighbours stay.
  function toggle(code) {
    const item = leaves.get(code);
    const box = boxOf(item);
    if (box.disabled) part(item.parentElement.closest("li"));
    box.checked = !box.checked;
    draw();
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function part(item) {
    if (boxOf(item).disabled) part(item.parentElement.closest("li"));
    boxOf(item).checked = false;
    for (const child of below(item)) {
      boxOf(child).checked = true;
      boxOf(child).disabled = false;
    }
  }

  const nameOf = (item) => item.querySelector(":scope > label > [lang]").textContent;

  // Names repeat within the city, so what lies above is said too.
  function name(code) {
    const item = leaves.get(code);
    const above = item.parentElement.closest("li");
    return above && !tops.includes(above) ? `${nameOf(item)}, ${nameOf(above)}` : nameOf(item);
  }

  function groups() {
    return [...tree.querySelectorAll("li")]
      .map((item) => ({ item, own: below(item).filter((child) => !below(child).length) }))
      .filter(({ own }) => own.length)
      .map(({ item, own }) => ({ name: nameOf(item), codes: own.map((child) => boxOf(child).value) }));
  }

  function clear(item) {
    for (const child of below(item)) {
      boxOf(child).checked = false;
      clear(child);
    }
  }

  async function index() {
    if (!names) {
      const answer = await fetch(picker.dataset.index);
      if (!answer.ok) return undefined;
      names = new Map((await answer.json()).areas.map(([code, name]) => [code, name]));
    }
    return names;
  }

  // An item shows if it matches, lies below or above a match, or is ticked: what is chosen is never hidden.
  // Answers how many match, and whether anything of it must be seen.
  function sift(item, wanted, known, above) {
    const box = boxOf(item);
    const hit = (known.get(box.value) ?? "").includes(wanted);
    let hits = hit ? 1 : 0;
    let inside = false;
    for (const child of below(item)) {
      const [more, seen] = sift(child, wanted, known, above || hit);
      hits += more;
      inside ||= seen;
    }
    const wantedHere = hit || inside || (box.checked && !box.disabled);
    item.hidden = !(wantedHere || above);
    const part = item.querySelector(":scope > details");
    if (part) part.open = inside;
    return [hits, wantedHere];
  }

  async function look() {
    const wanted = plain(search.value);
    const known = await index();
    if (!known || wanted !== plain(search.value)) return;
    let hits = 0;
    for (const item of tops) {
      if (wanted) {
        hits += sift(item, wanted, known, false)[0];
      } else {
        for (const each of [item, ...item.querySelectorAll("li")]) each.hidden = false;
        for (const part of item.querySelectorAll("details")) part.open = opened.has(part);
      }
    }
    found.textContent = wanted ? picker.dataset.found.replace("{n}", hits) : "";
  }

  tree.addEventListener("change", (event) => {
    const item = event.target.closest("li");
    if (!event.target.checked) clear(item);
    draw();
  });
  search.addEventListener("input", look);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  picker.querySelector(".chosen > span").hidden = true;
  draw();
  return {
    has: (code) => leaves.has(code),
    name,
    groups,
    toggle,
    watch(told) {
      watcher = told;
      draw();
    },
  };
}
