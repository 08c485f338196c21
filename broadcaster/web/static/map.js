// The map of the communes beside their tree: a list of many choices, laid out on the ground. What is chosen is in
// the tree alone; the map shows it, and passes on what is pressed.

const SVG = "http://www.w3.org/2000/svg";
const NEAR = 22; // Pixels around a commune that are still meant for it.
const FARTHEST = 16;
const LEAST = 3.5; // Pixels a circle's radius has at least.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const made = (name, attributes) => {
  const one = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  return one;
};

export function chart(part, areas) {
  const frame = part.querySelector(".map-frame");
  const svg = frame.querySelector("svg");
  const told = part.querySelector(".map-told");
  const places = new Map();
  let active;
  let ring;
  let factor = 1;

  async function open() {
    part.removeEventListener("toggle", open);
    const answer = await fetch(part.dataset.map);
    if (!answer.ok) {
      part.hidden = true;
      return;
    }
    lay(await answer.json());
    districts();
    areas.watch(show);
  }

  function lay(map) {
    const moved = made("g", map.transform ? { transform: map.transform } : {});
    svg.append(moved);
    for (const [code, d] of Object.entries(map.outlines)) if (areas.has(code)) put(moved, code, made("path", { d }));
    for (const [code, [cx, cy, r]] of Object.entries(map.circles))
      if (areas.has(code)) put(svg, code, made("circle", { cx, cy, r }), r);
    const matrix = new DOMMatrix(getComputedStyle(moved).transform);
    for (const place of places.values()) {
      const box = place.shape.getBBox();
      const by = place.shape.parentNode === moved ? matrix : new DOMMatrix();
      const from = new DOMPoint(box.x, box.y).matrixTransform(by);
      const to = new DOMPoint(box.x + box.width, box.y + box.height).matrixTransform(by);
      Object.assign(place, { left: from.x, top: from.y, right: to.x, bottom: to.y });
      Object.assign(place, { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 });
    }
    const { left, top, right, bottom } = around([...places.values()]);
    const margin = Math.max(right - left, bottom - top) * 0.02;
    const sizes = [left - margin, top - margin, right - left + 2 * margin, bottom - top + 2 * margin];
    svg.setAttribute("viewBox", sizes.map((each) => each.toFixed(1)).join(" "));
    size();
  }

  function put(parent, code, shape, radius) {
    shape.id = `map-${code}`;
    shape.setAttribute("role", "option");
    const title = made("title", {});
    title.textContent = areas.name(code);
    shape.append(title);
    parent.append(shape);
    places.set(code, { code, shape, radius });
  }

  function around(many) {
    return {
      left: Math.min(...many.map((each) => each.left)),
      top: Math.min(...many.map((each) => each.top)),
      right: Math.max(...many.map((each) => each.right)),
      bottom: Math.max(...many.map((each) => each.bottom)),
    };
  }

  function show(chosen) {
    for (const { code, shape } of places.values()) shape.setAttribute("aria-selected", chosen.has(code));
    if (active) tell();
  }

  function tell() {
    const words = active.shape.getAttribute("aria-selected") === "true" ? part.dataset.chosen : part.dataset.free;
    told.textContent = words.replace("{name}", areas.name(active.code));
  }

  function point(place) {
    active = place;
    // Drawn once more above its neighbours, which hide half of its line.
    ring?.remove();
    ring = active.shape.cloneNode();
    for (const name of ["id", "role", "aria-selected"]) ring.removeAttribute(name);
    ring.setAttribute("class", "ring");
    ring.setAttribute("aria-hidden", "true");
    active.shape.parentNode.append(ring);
    svg.setAttribute("aria-activedescendant", active.shape.id);
    tell();
  }

  function press(place) {
    point(place);
    areas.toggle(place.code);
  }

  // Where the middle of the frame lies on the ground, and how to bring a spot there.
  function middle() {
    const { left, top, width, height } = frame.getBoundingClientRect();
    return new DOMPoint(left + width / 2, top + height / 2);
  }

  function centre(x, y) {
    const seen = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
    const wanted = middle();
    frame.scrollBy(seen.x - wanted.x, seen.y - wanted.y);
  }

  function zoom(wanted, x, y) {
    factor = Math.min(FARTHEST, Math.max(1, wanted));
    svg.setAttribute("width", `${factor * 100}%`);
    svg.setAttribute("height", `${factor * 100}%`);
    size();
    centre(x, y);
  }

  // Circles grow more slowly than the ground, so that they come apart; none is too small to be seen.
  function size() {
    const pixels = svg.getScreenCTM().a;
    for (const { shape, radius } of places.values()) {
      if (radius) shape.setAttribute("r", Math.max(radius * factor ** -0.4, LEAST / pixels).toFixed(2));
    }
    if (active?.radius) ring.setAttribute("r", active.shape.getAttribute("r"));
  }

  function zoomBy(times) {
    const kept = middle().matrixTransform(svg.getScreenCTM().inverse());
    zoom(factor * times, active?.x ?? kept.x, active?.y ?? kept.y);
  }

  function districts() {
    const select = part.querySelector("select");
    const groups = areas.groups().filter((each) => each.codes.some((code) => places.has(code)));
    select.closest(".field").hidden = groups.length < 2;
    for (const [index, { name }] of groups.entries()) select.append(new Option(name, index));
    select.addEventListener("change", () => {
      const codes = select.value ? groups[select.value].codes : [...places.keys()];
      const { left, top, right, bottom } = around(codes.filter((code) => places.has(code)).map((c) => places.get(c)));
      const whole = svg.viewBox.baseVal;
      const fits = Math.min(whole.width / (right - left), whole.height / (bottom - top)) * 0.8;
      zoom(select.value ? fits : 1, (left + right) / 2, (top + bottom) / 2);
    });
  }

  function nearest(event) {
    const hit = event.target.closest("[role=option]");
    if (hit) return places.get(hit.id.slice("map-".length));
    const to = svg.getScreenCTM();
    const far = (place) => {
      const seen = new DOMPoint(place.x, place.y).matrixTransform(to);
      return Math.hypot(seen.x - event.clientX, seen.y - event.clientY);
    };
    const [best] = [...places.values()].map((place) => [far(place), place]).sort((a, b) => a[0] - b[0]);
    return best && best[0] <= NEAR ? best[1] : undefined;
  }

  // The next commune that way: near, and not far off to a side.
  function beyond([dx, dy]) {
    let best;
    let least = Infinity;
    for (const place of places.values()) {
      const along = (place.x - active.x) * dx + (place.y - active.y) * dy;
      const aside = Math.abs((place.x - active.x) * dy) + Math.abs((place.y - active.y) * dx);
      if (along > 0 && aside <= along * 1.5 && along + 2 * aside < least) {
        best = place;
        least = along + 2 * aside;
      }
    }
    return best ?? active;
  }

  svg.addEventListener("click", (event) => {
    const place = nearest(event);
    if (place) press(place);
  });
  svg.addEventListener("focus", () => {
    if (!active && places.size) point(places.values().next().value);
  });
  svg.addEventListener("keydown", (event) => {
    if (!active || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === " " || event.key === "Enter") press(active);
    else if (event.key === "Home") point([...places.values()].at(0));
    else if (event.key === "End") point([...places.values()].at(-1));
    else if (ARROWS[event.key]) point(beyond(ARROWS[event.key]));
    else return;
    event.preventDefault();
    if (factor > 1) centre(active.x, active.y);
  });
  for (const button of part.querySelectorAll("button[data-zoom]"))
    button.addEventListener("click", () => zoomBy(Number(button.dataset.zoom)));
  part.addEventListener("toggle", open);
  // On a phone it is one press away, and costs nothing until then.
  part.open = matchMedia("(min-width: 44.01rem)").matches;
}
