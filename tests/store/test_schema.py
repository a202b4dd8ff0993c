"""The schema: made at the first use, by migrations, by one process at a time."""

import sqlite3
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from app.errors import StoreError
from app.schemas import ArticleRegistration
from app.store import Store
from app.store.migrations import migrations_config, upgrade
from app.store.tables import Base
from tests.support.postgres import PostgresServer

BEFORE_MIGRATIONS = """
CREATE TABLE articles (id VARCHAR(256) NOT NULL PRIMARY KEY, premise TEXT NOT NULL, url VARCHAR(2048),
    title TEXT, updated {time} NOT NULL);
CREATE INDEX ix_articles_url ON articles (url);
INSERT INTO articles VALUES ('a', 'Ban cars', 'https://news.example/a', NULL, '2026-11-01 12:00:00');
"""


def test_the_migrations_make_what_the_code_expects(store: Store, database_url: str) -> None:
    store.check()
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_every_step_can_be_taken_back(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        upgrade(connection)
        command.downgrade(migrations_config(connection), "base")
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
        upgrade(connection)
    engine.dispose()


def test_premises_from_before_there_were_migrations_stay(store: Store, database_url: str) -> None:
    engine = create_engine(database_url)
    time = "TIMESTAMP WITH TIME ZONE" if engine.dialect.name == "postgresql" else "DATETIME"
    with engine.begin() as connection:
        for statement in BEFORE_MIGRATIONS.format(time=time).split(";")[:-1]:
            connection.execute(text(statement))
    engine.dispose()
    assert store.articles.premises(["a"], ["https://news.example/a"]) == (
        {"a": "Ban cars"},
        {"https://news.example/a": "Ban cars"},
    )
    assert list(store.feedback.iterate()) == []


def test_of_a_list_of_claims_the_first_outlives_a_step_back(store: Store, database_url: str) -> None:
    store.articles.put("a", ArticleRegistration(premise="Ban cars"))
    store.articles.put("b", ArticleRegistration(premise=["Ban phones", "Ban cars"]))
    engine = create_engine(database_url)
    with engine.begin() as connection:
        command.downgrade(migrations_config(connection), "0004")
        upgrade(connection)
    engine.dispose()
    assert store.articles.premises(["a", "b"], [])[0] == {"a": "Ban cars", "b": "Ban phones"}


FEEDBACK_BEFORE_KEYS = """
INSERT INTO feedback (uid, received, source, digest, languages, labels, spans, context)
VALUES ('1', '2026-11-01 12:00:00', 'moderator:17', 'd', '["en"]', '{"INSULT": 1.0}', '[]', '[]')
"""


def test_feedback_from_before_keys_were_kept_stays(store: Store, database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        command.upgrade(migrations_config(connection), "0003")
        connection.exec_driver_sql(FEEDBACK_BEFORE_KEYS)
    engine.dispose()
    [kept] = store.feedback.iterate()
    assert (kept.feedback.source, kept.feedback.scores) == ("moderator:17", {"INSULT": 1.0})
    assert kept.feedback.key_id is None


SLOW = """
CREATE FUNCTION dawdle() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1.2); END $$;
CREATE EVENT TRIGGER dawdle ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION dawdle();
"""


def test_a_migration_may_take_longer_than_a_query(own_postgres: PostgresServer) -> None:
    engine = create_engine(own_postgres.url())
    with engine.begin() as connection:
        command.upgrade(migrations_config(connection), "0003")
        connection.exec_driver_sql(SLOW)
    engine.dispose()
    store = Store(own_postgres.url(), timeout_s=1)
    assert list(store.feedback.iterate()) == []
    store.close()


def test_several_that_start_at_once(database_url: str) -> None:
    stores = [Store(database_url, timeout_s=30) for _ in range(4)]
    failures: list[Exception] = []

    def check(store: Store) -> None:
        try:
            store.check()
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=check, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert failures == []


def test_a_database_of_a_later_version_is_told(store: Store, database_url: str) -> None:
    store.check()
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    later = Store(database_url)
    with pytest.raises(StoreError, match=r"is not of this version: .*9999"):
        later.check()
    later.close()


def test_urls_of_any_length_are_found_again(store: Store) -> None:
    url = "https://news.example/" + "界" * 2_027
    store.articles.put("long", ArticleRegistration(premise="Ban cars", url=url))
    assert store.articles.premises([], [url])[1] == {url: "Ban cars"}


def test_sqlite_syncs_what_it_commits(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    with store.database.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    store.close()
    with sqlite3.connect(tmp_path / "x.sqlite3") as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    raw.close()


def test_a_sqlite_file_is_nobody_elses_to_read(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    store.check()
    assert {file.stat().st_mode & 0o077 for file in tmp_path.iterdir()} == {0}
    store.close()
