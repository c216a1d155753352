"""The canary: a job that does nothing but show that jobs are done."""

import time

from celery import shared_task

from rooms.store import client as store

CANARY = "spaces:canary"  # unix seconds of the last canary that a worker has heard
CANARY_SECONDS = 600


@shared_task
def canary() -> None:
    store.client().set(CANARY, time.time(), ex=CANARY_SECONDS)
