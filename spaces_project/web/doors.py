"""Middleware that spends the budget of the door that a request knocks at, before the view works.

The API is left out: it knows its member later, and spends by `accounts.shared.throttles.BudgetThrottle`.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from redis.exceptions import RedisError

from accounts import budgets, security_log
from accounts.budgets import ADDRESS, Budget, Spent
from accounts.security_log import Kind
from accounts.shared.throttles import network

API = "/api/"
GUESSED_AT = (budgets.LOG_IN, budgets.RESET, budgets.ACCOUNT)  # their refusals go to the security log
READING = {"GET", "HEAD", "OPTIONS"}


class Budgets:
    """Answers 429 with `Retry-After` if a budget is spent, and 503 if it cannot be counted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """None lets the view work."""
        budget = _budget(request)
        if budget is None or request.path.startswith(API):
            return None
        try:
            budgets.spend(budget, _who(request, budget))
        except Spent as spent:
            if budget in GUESSED_AT:
                security_log.write(Kind.LOCKED_OUT, request, request.user.pk, budget=budget.name)
            return _refused(request, spent)
        except RedisError:
            return _answer(request, "", HTTPStatus.SERVICE_UNAVAILABLE, retry_after=5)
        return None


def _budget(request: HttpRequest) -> Budget | None:
    method = "GET" if request.method in READING else "POST"  # Django's form views take PUT for POST
    match = request.resolver_match
    return budgets.BY_DOOR.get(f"{method} {match.view_name}") if match else None


def _who(request: HttpRequest, budget: Budget) -> object:
    """The member, or the address of a stranger, who is sent to the log-in."""
    if budget.who == ADDRESS or not request.user.is_authenticated:
        return network(request.META["REMOTE_ADDR"])
    return request.user.pk


def _refused(request: HttpRequest, spent: Spent) -> HttpResponse:
    return _answer(request, spent.text, HTTPStatus.TOO_MANY_REQUESTS, spent.retry_after)


def _answer(request: HttpRequest, text: str, status: HTTPStatus, retry_after: int | None) -> HttpResponse:
    """A page; for a part of a page only the sentence, which `frame/toast.js` shows."""
    part = getattr(request, "htmx", None)
    if part and not part.boosted:
        answer = HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)
    else:
        answer = render(request, "429.html", {"text": text}, status=status)
    answer["Retry-After"] = str(retry_after)
    return answer
