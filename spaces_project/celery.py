"""The Celery application: `celery -A spaces_project worker`, `celery -A spaces_project beat`."""

import os
import signal
from typing import Any

from celery import Celery, signals
from celery.loaders.app import AppLoader

from spaces_project.env import plainly
from spaces_project.logs import log_start
from spaces_project.machine.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spaces_project.settings")


class Loader(AppLoader):
    """Reads the settings. A wrong variable ends the program with one line."""

    def config_from_object(self, obj: Any, silent: bool = False) -> Any:
        with plainly("celery"):
            return super().config_from_object(obj, silent)


app = Celery("spaces", loader=f"{__name__}:Loader")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["accounts.mail", "accounts.leaving", "accounts.exporting", "moderation.leaving"])


@signals.setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Keep Celery from setting up logging of its own: a receiver of this signal is enough. Django has set it up."""


@signals.worker_process_init.connect
def end_with_the_worker(**kwargs: Any) -> None:
    """End this process when its worker is killed. The sweeps find half-done jobs again."""
    die_with_parent(signal.SIGKILL)


@signals.celeryd_after_setup.connect
def log_start_of_worker(sender: str, **kwargs: Any) -> None:
    """`sender` is the name of the worker, `mixer@host` for one that mixes."""
    log_start(sender)


@signals.beat_init.connect
def log_start_of_beat(**kwargs: Any) -> None:
    log_start("beat")


@signals.worker_ready.connect
def send_first_canary(sender: Any, **kwargs: Any) -> None:
    """Show at once that jobs are done. From then on, beat sends a canary every ten seconds."""
    sender.app.send_task("spaces_project.tasks.canary")
