"""The canary: a job that only shows that jobs are done."""

import time

from celery import shared_task

from rooms.store.client import redis_client

CANARY = "spaces:canary"  # unix seconds of the last canary that a worker has done
CANARY_SECONDS = 600


@shared_task
def canary() -> None:
    redis_client().set(CANARY, time.time(), ex=CANARY_SECONDS)
