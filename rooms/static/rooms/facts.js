/** What the server told this page: rules, addresses, limits (the tag `page_facts`). Empty for strangers. */
const element = document.getElementById("page-facts");

export const facts = element ? JSON.parse(element.textContent) : null;

/** May somebody with this role do this (to somebody with the role `target`)? The server asks the same table again. */
export function may(role, action, target) {
  const allowed = facts.rules[role]?.includes(action) ?? false;
  return allowed && (target === undefined || (facts.targets[action]?.includes(target) ?? false));
}

export const personUrl = (handle) => facts.personUrl.replace("HANDLE", handle);
export const spaceUrl = (space) => facts.spaceUrl.replace("00000000-0000-0000-0000-000000000000", space);

export function socketUrl(path) {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
}

/** Sends a form by POST as this member; true where the server agreed. */
export async function post(url, fields = {}) {
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  try {
    return (await fetch(url, { method: "POST", headers, body: new URLSearchParams(fields) })).ok;
  } catch {
    return false;  // no network
  }
}
