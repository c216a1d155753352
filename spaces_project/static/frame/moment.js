/** A time in the reader's zone and the language of the page. Without JavaScript the page shows it in UTC. */
export function showMoment(element) {
  const { lang } = document.documentElement;
  const reader = navigator.languages.find((one) => one.startsWith(lang)) ?? lang;
  const format = new Intl.DateTimeFormat(reader, { dateStyle: "long", timeStyle: "short" });
  element.textContent = format.format(new Date(element.dateTime));
}
