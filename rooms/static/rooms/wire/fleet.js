/** The websocket of the fleet: the line of live faces is fetched again whenever the server says that it changed. */
import { socketUrl } from "frame/facts.js";
import { CLOSES } from "rooms/wire/protocol.js";

const DELAYS = [1000, 2000, 5000, 10_000, 30_000];

export function connectFleet() {
  let [socket, timer, attempt, closed, fresh] = [null, null, 0, false, true];

  /** The rest of the page has just come with the line, so the first frame of the server asks for the line alone. */
  function refresh() {
    htmx.trigger("#fleet-refresh", fresh ? "line" : "fleet");
    fresh = false;
  }

  function connect() {
    socket = new WebSocket(socketUrl("/ws/fleet/"));
    socket.onopen = () => { attempt = 0; };
    socket.onmessage = (message) => JSON.parse(message.data).type === "fleet" && refresh();
    socket.onclose = ({ code }) => {
      if (closed || CLOSES[code] === "log_in") return;
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
