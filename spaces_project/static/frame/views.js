/** Parts of a page that need a module: <... data-view="name"> gets connect(element), and disconnect() at its end. */

const connects = new Map();
const connected = new Map();

/** connect(element) may return the function that disconnects it. */
export function register(name, connect) {
  connects.set(name, connect);
}

/** Connects what is new in the page, disconnects what is gone. Called at the start and after every swap. */
export function refresh() {
  for (const [element, disconnect] of connected) {
    if (element.isConnected) continue;
    connected.delete(element);
    disconnect?.();
  }
  for (const element of document.querySelectorAll("[data-view]")) {
    if (connected.has(element)) continue;
    connected.set(element, connects.get(element.dataset.view)?.(element));
  }
}
