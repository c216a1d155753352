"""A database of an earlier version: loads a dump of it beside the test database, for Django to migrate and use."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg import sql


@contextmanager
def loaded(dump: Path, name: str) -> Iterator[None]:
    """Let Django's connection lead to a new database `name` with the contents of `dump`; drop it afterwards."""
    usual = connection.settings_dict["NAME"]
    _switch(usual)
    _on_the_server("CREATE DATABASE {}", name)
    try:
        _switch(name)
        with connection.cursor() as cursor:
            cursor.execute(dump.read_text(encoding="utf-8"))
        _switch(name)  # a session of its own: the script changes settings of the one that runs it
        yield
    finally:
        _switch(usual)
        _on_the_server("DROP DATABASE {}", name)


def _switch(name: str) -> None:
    database = connections["default"]
    assert isinstance(database, DatabaseWrapper)
    database.close()
    database.close_pool()
    database.settings_dict["NAME"] = name


def _on_the_server(statement: LiteralString, name: str) -> None:
    """A statement about a database, from another one: neither can be done from inside."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(sql.Identifier(name)))
