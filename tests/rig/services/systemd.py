"""Debian's systemd as the first process of a container of the test's own, with no units but those it is given.

The container has this machine's files, and a network, a /run and a /tmp of its own. A folder of the test is laid over
/etc, so that documented files can have their documented paths. Needs root, iproute2, overlayfs, and a cgroup hierarchy
of version 2.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from spaces_project.machine.processes import spawn, with_patience
from tests.rig.browser.places import Place

SYSTEMD, CGROUPS = "/lib/systemd/systemd", "/sys/fs/cgroup"
START_SECONDS, CALL_SECONDS, END_SECONDS = 30.0, 120.0, 10.0
# What every unit depends on unless it says otherwise; here there is nothing to be done for it.
STUBS = ("sysinit.target", "basic.target", "network.target", "network-online.target", "shutdown.target", "ready.target")
CONTAINER = """
mount --make-rprivate /
mount -t cgroup2 cgroup2 {cgroups}
mount -t overlay -o lowerdir=/etc,upperdir={folder}/etc,workdir={folder}/etc.work overlay /etc
mount -t tmpfs tmpfs /run
mkdir /run/folder
mount --bind {folder} /run/folder
mount -t tmpfs tmpfs /var/tmp
mount -t tmpfs tmpfs /tmp
mkdir --mode=755 {folder}
mount --move /run/folder {folder}
mount --make-rshared /
exec env --ignore-environment container=spaces PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH={units} \
    SYSTEMD_GENERATOR_PATH={units} {systemd} --system --unit=ready.target --log-target=console --show-status=0
"""


class Systemd:
    """Runs `units`, texts by file name (`name.service.d/x.conf` is a drop-in); `with` starts and kills it.

    `folder`/etc is laid over /etc, and gets what is written there.
    """

    def __init__(self, place: Place, folder: Path, units: Mapping[str, str]) -> None:
        self._place, self._units, self.log = place, folder / "units", folder / "systemd.log"
        self._group = Path(_version_2(), f"spaces-test-{os.getpid()}")
        stubs = dict.fromkeys(STUBS, "[Unit]\nDefaultDependencies=no\n")
        for name, text in (stubs | dict(units)).items():
            file = self._units / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        for over in ("etc", "etc.work"):
            (folder / over).mkdir(exist_ok=True)
        self._script = CONTAINER.format(systemd=SYSTEMD, cgroups=CGROUPS, units=self._units, folder=folder)

    def __enter__(self) -> "Systemd":
        assert Path(SYSTEMD).exists(), "systemd is missing: apt-get install systemd"
        self._group.mkdir()
        own = ["--mount", "--uts", "--ipc", "--cgroup", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"]
        inside = ["unshare", *own, "sh", "-ec", self._script]
        entered = f'echo $$ > {self._group}/cgroup.procs; exec "$@"'
        with self.log.open("wb") as log:
            self._process = spawn(
                ["sh", "-ec", entered, "-", *self._place.prefix, *inside],
                signal.SIGKILL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        up = with_patience(lambda: self.call("is-active", "ready.target")[1] == "active", START_SECONDS)
        if not up:
            self.__exit__()
        assert up, self.log.read_text(errors="replace")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # and with it, by the kernel, the first process of its container and everything in that
        self._process.wait(END_SECONDS)
        assert with_patience(lambda: "populated 0" in (self._group / "cgroup.events").read_text(), END_SECONDS)
        for folder, _names, _files in os.walk(self._group, topdown=False):
            os.rmdir(folder)
        shutil.rmtree(self._units)

    def _first(self) -> str:
        """The process id of that systemd on this machine; empty while there is none."""
        file = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return file.read_text().strip() if file.exists() else ""

    def run(self, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the container."""
        return subprocess.run(
            ["nsenter", "--target", self._first() or "0", "--all", *command],
            env=os.environ | environment, capture_output=True, text=True, timeout=CALL_SECONDS, check=False,
        )  # fmt: skip

    def call(self, *arguments: str) -> tuple[int, str]:
        """The output of systemctl, and its exit code."""
        done = self.run("systemctl", *arguments)
        return done.returncode, (done.stdout + done.stderr).strip()

    def tell(self, *arguments: str) -> None:
        """Call systemctl. Fail if it does."""
        code, said = self.call(*arguments)
        assert code == 0, f"{said}\n{self.log.read_text(errors='replace')}"

    def property(self, unit: str, name: str) -> str:
        """A property of a unit, as systemctl shows it."""
        return self.call("show", unit, "--property", name, "--value")[1]


def _version_2() -> str:
    """The mount point of the cgroup hierarchy of version 2."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    found = [mount[1] for mount in mounts if mount[2] == "cgroup2"]
    assert found, "there is no cgroup hierarchy of version 2"
    return found[0]
