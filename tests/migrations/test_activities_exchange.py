"""Documents written before there were partners with an id and ideas get the fields that they lack, and lose them."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from services.kernel import db
from services.kernel.migrate import config
from services.registry import HISTORIES
from tests.harness import databases as harness
from tests.harness.databases import Databases

REVISION = "0007"
NAMES = ['Rosso, "],"image":{"url":1}}', "slash\\", '"}', "Zoë – 🌊"]
INSERT = """
INSERT INTO activities.activities (id, state, revision, title, language, kind, programme, mode, edition_set_by_hand,
    areas, causes, sdgs, organisers, section_codes, date_precision, time_zone, takes_sign_ups, requirements,
    accessibility, partners, sample, document)
VALUES (cast(:id AS uuid), 'draft', 1, 'A', 'en', 'volunteering', 'socialerasmus', 'physical', false, '{}', '{}', '{}',
    '[]', '{}', 'time', 'UTC', false, '{}', '{}', cast(:partners AS jsonb), false, :document)
"""


def _document(partners: list[dict[str, object]], **more: object) -> str:
    told = {"title": ',"adapted_from":1}', "partners": partners, "image": None, "sample": False, **more}
    return json.dumps({**told, "distance_km": None}, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("names", [[], NAMES], ids=["without", "with"])
async def test_documents_get_the_new_fields_and_lose_them_again(
    databases: Databases, redis_url: str, names: list[str]
) -> None:
    history = HISTORIES["activities"]
    before = ScriptDirectory.from_config(config(history)).get_revision(REVISION).down_revision
    assert isinstance(before, str)
    old = _document([{"name": name} for name in names])
    nothing = {"contribution": None, "contribution_note": None}
    new = _document([{"id": None, "name": name, **nothing} for name in names], adapted_from=None)

    def migrated(connection: sa.Connection) -> None:
        told = config(history, connection)
        connection.execute(sa.text('CREATE SCHEMA "activities"'))
        command.upgrade(told, before)
        partners = json.dumps([{"name": name} for name in names])
        values = {"id": "01890000-0000-7000-8000-000000000000", "partners": partners, "document": old}
        connection.execute(sa.text(INSERT), values)
        read = sa.text("SELECT document FROM activities.activities")
        command.upgrade(told, REVISION)
        assert connection.execute(read).scalar_one() == new
        command.downgrade(told, before)
        assert connection.execute(read).scalar_one() == old

    async with databases.fresh(template="template0") as url:
        engine = db.create_engine(harness.settings(url, redis_url), role=None, pool_size=1)
        async with engine.begin() as connection:
            await connection.run_sync(migrated)
        await engine.dispose()
