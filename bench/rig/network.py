"""A network of the benchmark's own: everything stays on loopback, and no packet leaves the machine.

Janus accepts no address of a loopback interface. So the whole benchmark moves into a network namespace in which another
interface has an address of 127.0.0.0/8. The kernel still sends packets to its own addresses over loopback.
"""

import ctypes
import os
import subprocess

from bench.rig.machine import Missing, need_program

ADDRESS = "127.0.53.1"
_INTERFACE = "bench0"
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def enter() -> None:
    """Move this process and its future children into the namespace. Raises Missing if that is not allowed."""
    program = need_program("ip", "iproute2")
    if _libc.unshare(_CLONE_NEWNET) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise Missing(f"Janus accepts no loopback address and needs a network namespace: run as root ({reason})")
    for line in (
        "link set lo up",
        f"link add {_INTERFACE} type veth peer name {_INTERFACE}-peer",
        f"address add {ADDRESS}/32 dev {_INTERFACE}",
        f"link set {_INTERFACE} up",
        f"link set {_INTERFACE}-peer up",
    ):
        subprocess.run([program, *line.split()], check=True)
