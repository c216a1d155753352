/** Follow or unfollow from the menu of a face: the entry has its place at once, and its word when the server has said
 *  what one is to that person; what stands below it must not move under a finger. */
import { el, icon } from "frame/dom.js";
import { ask, facts } from "frame/facts.js";
import { say } from "frame/toast.js";

const WORDS = {
  none: () => gettext("Follow"), following: () => gettext("Unfollow"), requested: () => gettext("Take the request to follow back"),
};

export function followItem(person, close) {
  const item = el("li", { class: "waiting" }, el("button", { type: "button" }, WORDS.none()));
  relation(person).then((now) => {
    if (!(now in WORDS)) return;
    item.replaceChildren(el("button", { type: "button", "data-testid": "menu-follow", onclick: () => { close(); change(person, now); } },
      icon(now === "none" ? "plus" : "cross"), WORDS[now]()));
    item.classList.remove("waiting");
  });
  return item;
}

async function relation(person) {
  const answer = await ask("GET", facts.relationUrl.replace("HANDLE", person.handle));
  return answer ? (await answer.json()).relation : "";
}

async function change(person, now) {
  const answer = await ask(now === "none" ? "POST" : "DELETE", facts.followUrl.replace("HANDLE", person.handle));
  const follows = now === "none" && answer && (await answer.json()).relation;
  const words = { following: gettext("You follow %s now."), requested: gettext("You asked to follow %s.") }[follows]
    ?? gettext("You no longer follow %s.");
  if (answer) say(interpolate(words, [person.name]));
  else say(gettext("That did not work. Check your connection and try again."), "error");
}
