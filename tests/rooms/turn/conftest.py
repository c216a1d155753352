"""coturn as documented, one cable away from the machine of the tests."""

from collections.abc import Iterator

import pytest

from tests.coturn import Cable, Coturn


@pytest.fixture(scope="session")
def cable() -> Iterator[Cable]:
    laid = Cable()
    yield laid
    laid.close()


@pytest.fixture(scope="package")
def coturn(cable: Cable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    """On the whole configuration of docs/operating.md, nothing changed but addresses, paths and secret."""
    running = Coturn(cable, tmp_path_factory.mktemp("coturn"))
    yield running
    running.stop()
