// Tells how much room is left as a text nears its limit, and how much it is beyond: nothing is cut off unseen.
const NEAR = 20;

export function measure(form) {
  for (const field of form.querySelectorAll("[data-limit]")) {
    const told = document.createElement("span");
    told.className = "hint room";
    told.id = `room-${field.name}`;
    told.hidden = true;
    field.after(told);
    const describedBy = field.getAttribute("aria-describedby");
    field.setAttribute("aria-describedby", describedBy ? `${describedBy} ${told.id}` : told.id);
    const draw = () => {
      const left = Number(field.dataset.limit) - [...field.value.trim().normalize("NFC")].length;
      told.hidden = left > NEAR;
      told.classList.toggle("error", left < 0);
      told.textContent = form.dataset[left < 0 ? "beyond" : "left"].replace("{n}", Math.abs(left));
    };
    field.addEventListener("input", draw);
    draw();
  }
}
