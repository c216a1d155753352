"""The sound: media nodes, the sound as files, TURN."""

import hashlib
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from rooms.media.contract import addresses, turn
from spaces_project import env
from spaces_project.settings.site import PUBLIC_URL, SECRET_KEY, VAR_DIR

# Media node
MEDIA_SECRET = env.text(
    "MEDIA_SECRET",
    "",
    "Shared by web and media nodes. The key of grants and the token of a node's HTTP port derive from it. Required.",
    from_file=True,
)
MEDIA_NAME = env.text("MEDIA_NAME", "", "Name of this media node; empty: host name and UDP port.")
MEDIA_BIND = env.ip(
    "MEDIA_BIND",
    "0.0.0.0",  # noqa: S104
    "Address on which the media node receives sound; `::` is all, IPv4 and IPv6.",
)
MEDIA_NODES = env.integer(
    "MEDIA_NODES",
    1,
    "Media nodes that `runspaces` starts, on ports that follow one another; 0: one per core but one.",
    most=64,
)
MEDIA_PORT = env.port("MEDIA_PORT", 40000, "UDP port of the media node, or of the first one.")
MEDIA_HTTP_HOST = env.text("MEDIA_HTTP_HOST", "127.0.0.1", "Address of the node's HTTP port: loopback, or behind TLS.")
MEDIA_HTTP_PORT = env.port("MEDIA_HTTP_PORT", 40001, "HTTP port of the media node, or of the first one.")
MEDIA_ANNOUNCE = env.names(
    "MEDIA_ANNOUNCE",
    ["127.0.0.1"],
    "Addresses of this node that browsers can reach, best first;"
    " `ADDRESS:PORT` or `[IPv6]:PORT` if that port is not the node's own.",
    check_all=addresses.parse_all,
)
MEDIA_CAPACITY = env.integer("MEDIA_CAPACITY", 1000, "Peers that one media node takes before it refuses.", least=1)
MEDIA_MOST_LOAD = env.integer(
    "MEDIA_MOST_LOAD",
    70,
    "Load of a node, in percent of a core or of its tick, at which it refuses newcomers.",
    least=1,
)
MEDIA_LONG_PACKETS_ABOVE = env.integer(
    "MEDIA_LONG_PACKETS_ABOVE", 20, "Load of a node, in percent of a core, at which new listeners get 60 ms packets."
)
MEDIA_SPOOL = VAR_DIR / "spool"

# The sound as files (HLS), for large audiences
HLS = env.flag(
    "HLS", True, "Let listeners hear a Space as files: if media nodes are full, if no live sound arrives, or by choice."
)
HLS_DIR = env.path("HLS_DIR", VAR_DIR / "hls", "Folder of these files. Media nodes write it.", "var/hls")
HLS_URL = env.base("HLS_URL", "/hls/", "Their address for browsers: `/hls/` of this site, or `https://.../` of a CDN.")
if PUBLIC_URL.startswith("https:") and HLS_URL.startswith("http:"):
    raise ImproperlyConfigured("HLS_URL has to begin with https://, as PUBLIC_URL does: browsers fetch nothing else")
if urlsplit(HLS_URL).netloc == urlsplit(PUBLIC_URL).netloc != "":
    raise ImproperlyConfigured("HLS_URL is an address of this site itself, which is written as /hls/")
HLS_SECRET = env.secret(
    "HLS_SECRET", "Signs their addresses; their web server checks it. Empty: derived from SECRET_KEY."
)
HLS_SECRET = HLS_SECRET or hashlib.sha256(f"hls {SECRET_KEY}".encode()).hexdigest()

# TURN, for networks that block UDP
TURN_URLS = env.names(
    "TURN_URLS", [], "TURN servers for browsers, e.g. turn:turn.example.org?transport=udp; empty: none.", turn.parse
)
TURN_SECRET = env.text("TURN_SECRET", "", "Shared with the TURN servers: coturn's static-auth-secret.", from_file=True)
TURN_CREDENTIAL_SECONDS = env.integer(
    "TURN_CREDENTIAL_SECONDS",
    3600,
    "Seconds that credentials for TURN are valid; at most an hour.",
    least=60,
    most=3600,
)
if TURN_URLS and not TURN_SECRET:
    raise ImproperlyConfigured("TURN_URLS names servers, so TURN_SECRET has to be set to their static-auth-secret")
