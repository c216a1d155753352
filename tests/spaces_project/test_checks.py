"""Django's own checks of the project."""

import os
import subprocess
import sys

import pytest
from django.core.management import call_command

from tests.rig.machine import CHECKOUT

PRODUCTION = {
    "PUBLIC_URL": "https://spaces.example.org",
    "ALLOWED_HOSTS": "spaces.example.org",
    "TRUSTED_PROXIES": "127.0.0.1",
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "MEDIA_SECRET": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
}


@pytest.mark.django_db
def test_every_change_of_a_model_has_its_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_a_deployment_passes_djangos_checks() -> None:
    """`check --deploy` with the settings of docs/operating/: not one warning."""
    command = [sys.executable, "-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=os.environ | PRODUCTION, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_cookies_of_a_site_with_https_belong_to_its_host_alone() -> None:
    code = (
        "from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.LANGUAGE_COOKIE_SECURE, s.SESSION_COOKIE_DOMAIN,"
        "s.SESSION_COOKIE_PATH, s.CSRF_COOKIE_DOMAIN, s.CSRF_COOKIE_PATH)"
    )
    environment = os.environ | PRODUCTION | {"DJANGO_SETTINGS_MODULE": "spaces_project.settings"}
    names = []
    for url in (PRODUCTION["PUBLIC_URL"], ""):
        run = [sys.executable, "-c", code]
        one = subprocess.run(run, cwd=CHECKOUT, env=environment | {"PUBLIC_URL": url}, capture_output=True, check=True)
        names.append(one.stdout.decode().split())
    assert names[0] == ["__Host-sessionid", "__Host-csrftoken", "True", "None", "/", "None", "/"]
    assert names[1][:3] == ["sessionid", "csrftoken", "False"]


def test_cookies_and_redirects_follow_the_public_address() -> None:
    code = (
        "from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS > 0)"
    )
    environment = os.environ | PRODUCTION | {"DJANGO_SETTINGS_MODULE": "spaces_project.settings"}
    run = [sys.executable, "-c", code]
    secure = subprocess.run(run, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True)
    assert secure.stdout.split() == ["True"] * 4
    plain = subprocess.run(
        run, cwd=CHECKOUT, env=environment | {"PUBLIC_URL": ""}, capture_output=True, text=True, check=True
    )
    assert plain.stdout.split() == ["False"] * 4
