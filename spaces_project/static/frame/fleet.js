/** The fleet line: fetched again whenever the server says that it changed. */
import { socketUrl } from "frame/facts.js";

const DELAYS = [1000, 2000, 5000, 10_000, 30_000];
const LOGIN_FIRST = 4401;

export function connectFleet() {
  let [socket, timer, attempt, closed, fresh] = [null, null, 0, false, true];

  /** With the page the rest of it came, too: the first word of the server is about the line alone. */
  function refresh() {
    htmx.trigger("#fleet-refresh", fresh ? "line" : "fleet");
    fresh = false;
  }

  function connect() {
    socket = new WebSocket(socketUrl("/ws/fleet/"));
    socket.onopen = () => { attempt = 0; };
    socket.onmessage = (message) => JSON.parse(message.data).type === "fleet" && refresh();
    socket.onclose = ({ code }) => {
      if (closed || code === LOGIN_FIRST) return;
      timer = setTimeout(connect, DELAYS[Math.min(attempt, DELAYS.length - 1)] * (0.5 + Math.random()));
      attempt += 1;
    };
  }

  connect();
  return () => {
    closed = true;
    clearTimeout(timer);
    socket.close();
  };
}
