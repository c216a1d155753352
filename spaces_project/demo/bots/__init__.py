"""Members of the demonstration that act on their own: real websockets, real DTLS-SRTP, recorded speech."""
