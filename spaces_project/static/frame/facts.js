/** Rules, addresses and limits of the server (the tag `page_facts`). Null for people who are not logged in. */
const element = document.getElementById("page-facts");

export const facts = element ? JSON.parse(element.textContent) : null;

/** Whether this role may do this (to a person with the role `target`). The server asks the same table again. */
export function may(role, action, target) {
  const allowed = facts.rules[role]?.includes(action) ?? false;
  return allowed && (target === undefined || (facts.targets[action]?.includes(target) ?? false));
}

export const personUrl = (handle) => facts.personUrl.replace("HANDLE", handle);
export const spaceUrl = (space) => facts.spaceUrl.replace("00000000-0000-0000-0000-000000000000", space);

export function socketUrl(path) {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
}
