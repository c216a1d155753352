/** The dialogue that asks once more before something happens. */
const dialog = document.getElementById("confirm");

/** {title, text, action, danger}: a promise of true if the action was chosen. */
export async function confirmed({ title, text, action, danger = true }) {
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector("p").textContent = text;
  const button = dialog.querySelector("[value=yes]");
  button.textContent = action;
  button.classList.toggle("button-danger", danger);
  button.classList.toggle("button-primary", !danger);
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  return dialog.returnValue === "yes";
}
