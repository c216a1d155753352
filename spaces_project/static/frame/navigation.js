/** Boosted navigation swaps <main> only. Focus and title follow, popovers and dialogues close, failures are shown. */
import { facts } from "frame/facts.js";
import { pageTitle } from "frame/focus.js";
import { closeAll } from "frame/popover.js";
import { sayFailure } from "frame/toast.js";

const WRONG = '[aria-invalid="true"]';
const swapsPage = (detail) => detail.target?.id === "main";

/** after() is called once the new <main> is in the page. */
export function connectNavigation(after) {
  const on = (name, act) => document.body.addEventListener(name, ({ detail }) => act(detail));
  on("htmx:afterSettle", (detail) => {
    after();
    if (swapsPage(detail)) focusPage();
  });
  on("htmx:historyRestore", () => { after(); focusPage(); });
  on("htmx:beforeRequest", (detail) => swapsPage(detail) && closeAll());
  on("htmx:beforeSwap", decideSwap);
  on("htmx:responseError", (detail) => swapsPage(detail) || failed(detail.xhr));
  on("htmx:sendError", () => failed({}));
  on("htmx:timeout", () => failed({}));
  if (document.querySelector(`#main ${WRONG}`)) focusPage();  // a form that is not boosted came back
}

/** A whole page is shown whatever its status. A part of a page is shown only if it is that part, not a log-in page. */
function decideSwap(detail) {
  if (swapsPage(detail)) {
    detail.shouldSwap = true;
  } else if (facts && new URL(detail.xhr.responseURL).pathname === facts.loginUrl) {
    detail.shouldSwap = false;
    if (detail.target.id !== "fleet") location.assign(facts.loginUrl);
  }
}

const failed = ({ status, responseText }) => facts && sayFailure(status, responseText);

/** Focuses the first wrong field of a form, or else the title of the page. */
function focusPage() {
  const wrong = document.querySelector(`#main ${WRONG}`);
  (wrong ?? pageTitle()).focus({ preventScroll: !wrong });
}
