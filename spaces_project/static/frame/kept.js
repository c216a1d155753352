/** Choices that the browser keeps. If it refuses site storage, they last as long as the page. */

const unkept = new Map();

/** The choice, or null. */
export function kept(name) {
  if (unkept.has(name)) return unkept.get(name);
  try {
    return localStorage.getItem(name);
  } catch {
    return null;  // refused (SecurityError), or there is none
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(name, value);
    unkept.delete(name);
  } catch {
    unkept.set(name, value);
  }
}
