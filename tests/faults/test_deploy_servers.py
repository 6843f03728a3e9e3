"""Postgres and Valkey as tests use them: away and back on the same port, with their data, and healed where it broke."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import redis

from deploy import account, places, ports, postgres, reachable, valkey
from deploy.failure import Failure

MANAGED_AS_ON_A_HOSTED_POSTGRES = """
    create role librarian login password 'x';
    create schema library authorization librarian;
    set role librarian;
    create table library.book (title text);
    reset role;
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that Postgres's user can reach; the first test makes the cluster in it."""
    with places.thrown_away() as folder:
        yield folder


def server_in(place: Path) -> postgres.Server:
    """A Postgres below a folder, prepared and not started."""
    server = postgres.Server(place / "postgres", Path(sys.prefix), durable=False)
    server.prepare()
    return server


async def ask(url: str, statement: str) -> object:
    """Run a statement on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return await (connection.fetchval if statement.startswith("select") else connection.execute)(statement)
    finally:
        await connection.close()


async def test_a_killed_postgres_comes_back_on_its_port_with_its_data(place: Path) -> None:
    with postgres.running(place / "postgres") as server:
        url = server.url
        await ask(url, "create table if not exists kept as select 7 as number")
        server.kill()
        assert not server.is_running
        with pytest.raises(ConnectionError):
            await ask(url, "select 1")
        server.start()
        assert server.url == url
        assert await ask(url, "select number from kept") == 7


async def test_the_login_is_no_superuser_and_can_do_what_the_services_need(place: Path) -> None:
    with postgres.running(place / "postgres") as server:
        assert await ask(server.url, "select current_setting('is_superuser')") == "off"
        assert await ask(server.superuser_url, "select current_setting('is_superuser')") == "on"
        await ask(server.url, "create extension if not exists pg_trgm")
        await ask(server.url, MANAGED_AS_ON_A_HOSTED_POSTGRES)


async def test_a_wrong_password_is_refused(place: Path) -> None:
    with postgres.running(place / "postgres") as server:
        for url in (server.url, server.superuser_url):
            role, _, rest = url.partition("://")[2].partition(":")
            with pytest.raises(asyncpg.InvalidPasswordError):
                await ask(f"postgresql://{role}:wrong@{rest.partition('@')[2]}", "select 1")


async def test_lost_passwords_are_replaced_and_the_data_kept(place: Path) -> None:
    with postgres.running(place / "postgres") as server:
        before = server.url
        await ask(before, "create table if not exists treasure as select 1 as number")
    (place / "postgres" / "passwords").unlink()
    with postgres.running(place / "postgres") as server:
        assert server.url.partition("@")[0] != before.partition("@")[0]
        assert await ask(server.url, "select number from treasure") == 1


def test_a_process_number_given_to_another_program_is_not_taken_for_our_postgres(place: Path) -> None:
    server = server_in(place)
    lent = account.for_postgres()
    user = {"user": lent.uid, "group": lent.gid, "extra_groups": []} if lent else {}
    stranger = subprocess.Popen(["/bin/sleep", "60"], cwd="/", **user)  # type: ignore[call-overload]
    note = place / "postgres" / "cluster" / "data" / "postmaster.pid"
    try:
        note.write_text(f"{stranger.pid}\n{note.parent}\n1\n5432\n\n127.0.0.1\n\nready\n")
        if lent:
            os.chown(note, lent.uid, lent.gid)
        server = server_in(place)
        server.start()
        server.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_two_postgres_on_one_port_end_in_a_sentence(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "PATIENCE_WITH_OTHERS", 0.2)
    with socket.socket() as taken:
        taken.bind((ports.LOOPBACK, 0))
        taken.listen()
        server = postgres.Server(place / "postgres", Path(sys.prefix), durable=False, port=taken.getsockname()[1])
        server.prepare()
        with pytest.raises(Failure, match="Postgres did not start"):
            server.start()
    assert not server.is_running


def test_a_valkey_comes_back_on_its_port_and_a_durable_one_with_its_data() -> None:
    with places.thrown_away() as folder, valkey.running(folder / "valkey", durable=True) as server:
        url = server.url
        with redis.Redis.from_url(url) as client:
            client.set("kept", "7")
            client.rpush("queue", json.dumps([1]))
        server.stop()
        with redis.Redis.from_url(url) as client, pytest.raises(redis.ConnectionError):
            client.ping()
        server.start()
        with redis.Redis.from_url(url) as client:
            assert client.get("kept") == b"7"
        server.kill()
        server.start()
        assert server.url == url


def test_a_valkey_lets_nobody_in_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reachable, "SECONDS", 0.5)  # it waits for the rest of what a Postgres would understand
    with valkey.running() as server, redis.Redis(port=server.port) as client:
        with pytest.raises(redis.AuthenticationError):
            client.ping()
        assert reachable.refuse_unless_redis("REDIS_URL", server.url) == f"127.0.0.1:{server.port}"
        with pytest.raises(Failure, match=r"refuses \(WRONGPASS") as refusal:
            reachable.refuse_unless_redis("REDIS_URL", f"redis://:hunter2@127.0.0.1:{server.port}")
        assert "hunter2" not in str(refusal.value)
        with pytest.raises(Failure, match="is not a Postgres"):
            reachable.refuse_unless_postgres("DATABASE_URL", f"postgresql://ann:hunter2@127.0.0.1:{server.port}/c")


def test_a_postgres_is_told_from_a_redis(place: Path) -> None:
    with postgres.running(place / "postgres") as server:
        assert reachable.refuse_unless_postgres("DATABASE_URL", server.url) == f"127.0.0.1:{server.port}"
        with pytest.raises(Failure, match="is not a Redis"):
            reachable.refuse_unless_redis("REDIS_URL", f"redis://127.0.0.1:{server.port}")


def test_a_server_without_a_folder_leaves_none() -> None:
    with postgres.running() as server:
        assert server.directory.is_dir()
    assert not server.directory.exists()
    assert not server.is_running


@pytest.mark.parametrize("room", [0, 2**62])
def test_a_folder_in_memory_needs_plenty_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, room: int) -> None:
    tmp_path.chmod(0o711)
    monkeypatch.setattr(places, "IN_MEMORY", tmp_path)
    monkeypatch.setattr(places, "ROOM", room)
    monkeypatch.setattr(places, "MEMORY", 0)
    monkeypatch.setattr(places.account, "for_postgres", lambda: None)
    with places.thrown_away(in_memory=True) as folder:
        assert (folder.parent == tmp_path.resolve()) is (room == 0)
    assert not folder.exists()
