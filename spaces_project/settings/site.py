"""Where this site runs, what it is called, and the rules that its operator sets."""

import os
from pathlib import Path

from spaces_project import env
from spaces_project.machine import running
from spaces_project.proxies import check_network
from spaces_project.version import __version__

BASE_DIR = Path(__file__).resolve().parent.parent.parent
SPACES_VERSION = __version__

# The machine
VAR_DIR = env.path("VAR_DIR", BASE_DIR / "var", "Folder for everything that is written: data, sound, sockets.", "var")
DEMO_FILE = VAR_DIR / "demo.env"  # written by `runspaces --demo`: secrets of this one machine
DEMO_READY_FILE = VAR_DIR / "demo.ready"  # exists as soon as a demo member speaks
if os.environ.get("SPACES_DEMO") != "0":  # `runspaces` without --demo sets 0 and reads nothing from there
    env.load_file(DEMO_FILE)
running.load(VAR_DIR)  # ports of the `runspaces` that other commands of this folder belong to
DEMO = env.flag("SPACES_DEMO", False, "Demonstration on one machine; set by `runspaces --demo`. HTTP on loopback only.")
DEMO_PASSWORD = env.text(
    "SPACES_DEMO_PASSWORD", "", "Password of the demonstration's members; `runspaces --demo` makes it."
)
DEMO_LINK_SECRET = env.text(
    "SPACES_DEMO_LINK_SECRET", "", "Signs the links of a demonstration that log in; `runspaces --demo` makes it."
)
DEBUG = env.flag("DEBUG", False, "Django's debug pages. Never on a machine that others can reach.")
SECRET_KEY = env.text("SECRET_KEY", "", "Signs sessions and links; 50 random characters. Required.", from_file=True)
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"], "Host names that the site answers to.")
PUBLIC_URL = env.url(
    "PUBLIC_URL", ("https", "http"), "Address that members use, e.g. https://spaces.example.org; empty: this machine."
)
SPACES_SOURCE_URL = env.url(
    "SPACES_SOURCE_URL",
    ("https", "http"),
    "Address of the source of this version, linked at the foot of the pages (AGPL section 13).",
)
TRUSTED_PROXIES = env.names(
    "TRUSTED_PROXIES", [], "Addresses whose X-Forwarded-* headers are believed.", check=check_network
)
WEB_HOST = env.text("WEB_HOST", "127.0.0.1", "Address on which daphne listens.")
WEB_PORT = env.port("WEB_PORT", 8000, "Port on which daphne listens.")

# Rules that an operator may set
SPACES_MIN_FOLLOWERS = env.integer("SPACES_MIN_FOLLOWERS", 600, "Followers that a member needs to host a Space.")
SPACES_FOLLOWER_DAYS = env.integer(
    "SPACES_FOLLOWER_DAYS", 7, "Days that an account exists before it counts as a follower who lets someone host."
)
SPACES_MAX_SPEAKERS = env.integer(
    "SPACES_MAX_SPEAKERS", 11, "Speakers at the microphone besides the host; at most 11.", most=11
)  # the media node mixes twelve voices (rooms/media/contract/standing.py)
SPACES_HOST_GRACE_SECONDS = env.integer("SPACES_HOST_GRACE_SECONDS", 60, "Seconds a Space goes on without its host.")
SPACES_AWAY_SECONDS = env.integer("SPACES_AWAY_SECONDS", 20, "Seconds a lost speaker or listener keeps their place.")
RECORDING_RETENTION_DAYS = env.integer(
    "RECORDING_RETENTION_DAYS", 30, "Days that the sound is kept for safety review; then it is purged.", least=1
)
PARTICIPATION_DAYS = env.integer(
    "PARTICIPATION_DAYS", 365, "Days after the end of a Space that rows say who was there and asked to speak.", least=1
)
CASE_TEXT_DAYS = env.integer(
    "CASE_TEXT_DAYS", 1095, "Days after its decision that a case keeps the texts of reports and decision.", least=90
)
INVITATION_DAYS = env.integer(
    "INVITATION_DAYS", 90, "Days after the end of a Space that rows say who was invited by name.", least=1
)
