/** Follow or unfollow from the menu of a face. The entry takes its place at once, so that nothing below it moves under
 *  a finger. Its words come once the server has said whether one follows that person. */
import { el, icon } from "frame/dom.js";
import { facts } from "frame/facts.js";
import { ask, change, say } from "frame/toast.js";

const WORDS = {
  none: () => gettext("Follow"),
  following: () => gettext("Unfollow"),
  requested: () => gettext("Withdraw request to follow"),
};

export function followItem(person, close) {
  const item = el("li", { class: "waiting" }, el("button", { type: "button" }, WORDS.none()));
  fetchRelation(person).then((relation) => {
    if (!(relation in WORDS)) return;
    const onclick = () => { close(); turn(person, relation); };
    item.replaceChildren(el("button", { type: "button", "data-testid": "menu-follow", onclick },
      icon(relation === "none" ? "plus" : "cross"), WORDS[relation]()));
    item.classList.remove("waiting");
  });
  return item;
}

async function fetchRelation(person) {
  const answer = await ask(facts.relationUrl.replace("HANDLE", person.handle));
  return answer ? (await answer.json()).relation : "";
}

async function turn(person, relation) {
  const method = relation === "none" ? "POST" : "DELETE";
  const answer = await change(method, facts.followUrl.replace("HANDLE", person.handle));
  const now = relation === "none" && answer && (await answer.json()).relation;
  const words = { following: gettext("You now follow %s."), requested: gettext("You asked to follow %s.") }[now]
    ?? gettext("You no longer follow %s.");
  if (answer) say(interpolate(words, [person.name]));
}
