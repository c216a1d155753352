"""The cast of every test: hana hosts, sol speaks, lior listens, dee is a stranger, mo is staff."""

from collections.abc import Callable, Iterator

import pytest
from asgiref.sync import SyncToAsync
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import translation

from accounts.models import User
from tests.rig.machine import Machine
from tests.rig.second_factor import with_second_factor
from tests.rig.services.coturn import Cable, Coturn

PASSWORD = "correct horse battery"


def pytest_configure(config: pytest.Config) -> None:
    """Plain names of static files; the browser tests run the real thing, with hashed names, in processes of its own."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    settings.STATIC_ROOT.mkdir(exist_ok=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers last: from the first one on Playwright's event loop runs in this thread, and no other can beside it."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Before the database is dropped, close what the one thread of `sync_to_async` still holds open in it."""
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture(autouse=True)
def _fast_passwords(settings: object) -> None:
    """A hash that takes microseconds: no one attacks the passwords of the tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _no_language_of_another_test() -> None:
    """Django leaves the language of the last page active in its thread."""
    translation.deactivate()


@pytest.fixture
def hana(db: None) -> User:
    """The host, by a grant."""
    return User.objects.create_user("hana", PASSWORD, display_name="Hana Mori", may_host=True)


@pytest.fixture
def sol(db: None) -> User:
    return User.objects.create_user("sol", PASSWORD, display_name="Sol Aker")


@pytest.fixture
def lior(db: None) -> User:
    return User.objects.create_user("lior", PASSWORD, display_name="Lior Katz")


@pytest.fixture
def dee(db: None) -> User:
    """A stranger, without followers, who follows no one."""
    return User.objects.create_user("dee", PASSWORD, display_name="Dee Wong")


@pytest.fixture
def mo(db: None) -> User:
    """Staff, without permissions of their own."""
    return User.objects.create_user("mo", PASSWORD, display_name="Mo Staff", is_staff=True)


@pytest.fixture
def log_in(db: None) -> Callable[[User], Client]:
    """`log_in(sol)` is a browser of its own in which sol is logged in."""

    def browser(person: User) -> Client:
        client = Client()
        client.force_login(person)
        if person.rank:
            with_second_factor(client, person)
        return client

    return browser


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A folder for an installation of the test's own, in which nothing runs yet."""
    one = Machine()
    yield one
    one.remove()


@pytest.fixture(scope="session")
def site() -> Iterator[Machine]:
    """`runspaces --demo`, once for all tests that want a whole installation."""
    machine = Machine()
    try:
        machine.start()
        yield machine
    finally:
        machine.remove()


@pytest.fixture(scope="session")
def cable() -> Iterator[Cable]:
    """A network of the run's own, one cable away."""
    laid = Cable()
    yield laid
    laid.close()


@pytest.fixture(scope="session")
def coturn(cable: Cable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    """coturn there, on the whole configuration of docs/operating/turn.md."""
    running = Coturn(cable, tmp_path_factory.mktemp("coturn"))
    yield running
    running.stop()
