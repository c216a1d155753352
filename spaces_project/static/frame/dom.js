/** Makes elements without innerHTML, so that what people wrote is only ever text. */
import { facts } from "frame/facts.js";

const SVG = "http://www.w3.org/2000/svg";
const TONES = 8;

/** el("button", {type: "button", onclick: f}, child, "text"). Null and false leave an attribute or a child out. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (isGiven(value)) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter(isGiven));
  return element;
}

const isGiven = (value) => value !== null && value !== undefined && value !== false;

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${facts.icons}#${name}`);
  svg.append(use);
  return svg;
}

const tone = (handle) => [...handle].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % TONES;

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0]).join("").toUpperCase() || "?";
}

/** The face of {handle, name, avatar}: size is "xs", "s", "m" or "l". */
export function face(person, size) {
  const decoration = { class: `face face-${size}`, "aria-hidden": "true" };
  if (person.avatar) return el("span", decoration, el("img", { src: person.avatar, alt: "" }));
  decoration.class += ` tone-${tone(person.handle)}`;
  return el("span", decoration, initials(person.name));
}

/** Makes the children of `list` those of `items`, by key. Elements that stay keep their place and the focus in them.
 *  make(item) returns a new element; update(element, item) writes what may change. */
export function keyed(list, items, key, make, update) {
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const name = String(key(item));
    const element = old.get(name) ?? make(item);
    old.delete(name);
    element.dataset.key = name;
    update(element, item);
    return element;
  });
  old.forEach((element) => element.remove());
  wanted.forEach((element, at) => {
    if (list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null);
  });
}

/** Writes text only if it changed, so that nothing is read out twice. */
export function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

export const count = (number) => new Intl.NumberFormat(document.documentElement.lang).format(number);

/** Seconds -> 0:42, 12:05, 1:03:20. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
