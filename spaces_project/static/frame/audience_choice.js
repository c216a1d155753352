/** The form of a new Space shows only the fields of the chosen audience. */
export function connectAudienceChoice(form) {
  const draw = () => {
    const chosen = form.elements.audience.value;
    form.querySelectorAll("[data-for]").forEach((part) => { part.hidden = part.dataset.for !== chosen; });
  };
  form.addEventListener("change", draw);
  draw();
}
