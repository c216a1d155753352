/** The dialogue in which the host of a live Space for named people names more people. */
import { facts } from "frame/facts.js";
import { say } from "frame/toast.js";

const dialog = document.getElementById("invite");

/** Opens it. It closes once the people are invited, or if the host changes their mind. */
export function invite(room) {
  const form = dialog.querySelector("form");
  const field = form.elements.handles;
  form.onsubmit = async (event) => {
    if (event.submitter?.value === "no") return;
    event.preventDefault();
    refused("");
    const handles = named(field.value);
    if (!handles) return refused(gettext("Name at least one person by their handle, such as @sol."));
    try {
      const { new: number } = await room.send("invite", { handles });
      dialog.close();
      say(number
        ? interpolate(ngettext("%s more person may enter.", "%s more people may enter.", number), [number])
        : gettext("Everyone you named is already invited."));
    } catch (error) {
      refused(error.message);
    }
  };
  field.value = "";
  refused("");
  dialog.showModal();

  function refused(text) {
    const line = form.querySelector("[role=alert]");
    line.hidden = !text;
    line.textContent = text;
    if (text) field.focus();
  }
}

/** "@Sol, lior" -> ["sol", "lior"]; null if the text names no one, or holds something that cannot be a handle. */
function named(text) {
  const handles = [...new Set(text.toLowerCase().split(/[\s,;@]+/).filter(Boolean))];
  return handles.length && handles.every((handle) => new RegExp(facts.handle).test(handle)) ? handles : null;
}
