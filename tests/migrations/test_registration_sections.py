"""A database that has heard of sections before registration kept them."""

from __future__ import annotations

from alembic import command

from services import registry
from services.kernel import db, migrate
from services.kernel.runtime import Runtime
from services.kernel.worker import Worker
from tests.harness import databases as harness
from tests.harness.databases import rows

TOLD = """
INSERT INTO events.log (id, name, aggregate, trace_id, payload)
SELECT gen_random_uuid(), name, code, repeat('0', 32), jsonb_build_object('code', code, 'title', code, 'country', 'IT',
    'state', state, 'time_zone', 'Europe/Rome')
FROM (VALUES ('activities.section_recorded.v1', 'IT-SASS-ESN', 'active'),
    ('activities.section_recorded.v1', 'IT-SASS-ESN', 'withdrew'),
    ('activities.section_recorded.v1', 'IT-MILA-STA', 'active'),
    ('activities.other_recorded.v1', 'IT-NOPE-ESN', 'active')) AS told (name, code, state)
"""


async def test_sections_told_of_before_are_taken_over_though_the_cursor_has_passed_them(
    database_url: str, redis_url: str
) -> None:
    settings = harness.settings(database_url, redis_url)
    engine = db.create_engine(settings, role=None, pool_size=1)
    history = registry.HISTORIES["registration"]
    async with engine.begin() as connection:
        await connection.run_sync(
            lambda inner: command.downgrade(migrate.config(history, inner), "0001"),
        )
    await rows(database_url, TOLD)
    await rows(database_url, "INSERT INTO events.cursors (consumer, xid) VALUES ('registration', '9999999999')")
    assert await migrate.upgrade(engine, registry.HISTORIES) == ["registration"]
    await engine.dispose()
    runtime = Runtime(settings, role="registration")
    try:
        await Worker(registry.SERVICES["registration"], runtime).catch_up()
    finally:
        await runtime.close()
    known = await rows(database_url, "SELECT code, title, country FROM registration.sections ORDER BY code")
    assert [tuple(row) for row in known] == [(code, code, "IT") for code in ("IT-MILA-STA", "IT-SASS-ESN")]
