"""What `manage.py doctor` tries of a media node: a check from a stranger, and a file among its HLS files."""

from pathlib import Path
from secrets import token_bytes

from rooms.media.hls import folder as hls_folder
from rooms.media.network import stun

STRANGER = "stun-stranger"  # the cause in `Health.drops` under which a node counts such a check


def stranger_check() -> bytes:
    """A STUN binding request (RFC 8489) that no node knows: it counts the request and answers nothing."""
    return stun.build(stun.REQUEST, token_bytes(12), stun.attribute(stun.USERNAME, b"doctor:doctor"), b"doctor")


def put_file(root: Path, folder: str, name: str, data: bytes) -> None:
    """Write a file below `root` with the rights of a node's files. Raises OSError if that fails."""
    hls_folder.write(hls_folder.make_folder(root, folder), name, data)
