/** RTCPeerConnections that send from whatever address the system takes: the default route (RFC 8828, mode 3).
 *
 *  To a document with the right to a microphone Chromium gives a socket for each address (mode 1), and tells it of a
 *  new one two seconds after it has come, or more. So connections are made by a frame without that right: their sockets are
 *  of no address, and the next check leaves through the new network at once. */

let frame = null;

export function connection() {
  if (!frame?.isConnected) frame = made();  // somebody may have taken it out of the document
  return new frame.contentWindow.RTCPeerConnection();
}

function made() {
  const empty = document.createElement("iframe");
  Object.assign(empty, { hidden: true, allow: "microphone 'none'; camera 'none'" });
  document.documentElement.append(empty);
  return empty;
}
