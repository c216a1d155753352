/** Makes RTCPeerConnections that send over the default route of the system (RFC 8828, mode 3).
 *
 *  Chromium gives a document with the right to a microphone one socket per address (mode 1), and a socket for a new
 *  address two seconds late or more. So a frame without that right makes the connections. Their sockets are bound to no
 *  address, and the next check leaves through the new network at once. */

let frame = null;

/** Throws an Error with the code no_webrtc if the browser has none. */
export function newConnection() {
  if (!frame?.isConnected) frame = makeFrame();  // an extension may have taken it out of the document
  const { RTCPeerConnection } = frame.contentWindow;
  if (!RTCPeerConnection) throw Object.assign(new Error("This browser has no WebRTC."), { code: "no_webrtc" });
  return new RTCPeerConnection();
}

function makeFrame() {
  const empty = document.createElement("iframe");
  Object.assign(empty, { hidden: true, allow: "microphone 'none'; camera 'none'" });
  document.documentElement.append(empty);
  return empty;
}
