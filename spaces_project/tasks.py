"""Jobs of the project: the canary, which only shows that jobs are done, and the end of old sessions."""

import time

from celery import shared_task
from django.core.management import call_command

from rooms.store.client import redis_client

CANARY = "spaces:canary"  # unix seconds of the last canary that a worker has done
CANARY_SECONDS = 600


@shared_task
def canary() -> None:
    redis_client().set(CANARY, time.time(), ex=CANARY_SECONDS)


@shared_task
def clear_sessions() -> None:
    """Delete the rows of sessions that have expired."""
    call_command("clearsessions")
