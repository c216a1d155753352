/** A time as the reader's own clock shows it, in the language of the page; without JavaScript it stands there in UTC. */
export function showMoment(element) {
  const { lang } = document.documentElement;
  const reader = navigator.languages.find((one) => one.startsWith(lang)) ?? lang;
  const format = new Intl.DateTimeFormat(reader, { dateStyle: "long", timeStyle: "short" });
  element.textContent = format.format(new Date(element.dateTime));
}
