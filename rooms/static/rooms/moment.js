/** A time as the reader's own clock shows it; without JavaScript it stands there in UTC. */
export function showMoment(element) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });
  element.textContent = format.format(new Date(element.dateTime));
}
