"""The imports of sections, from a list or from ESN Accounts, and of countries."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.directory import actions, country_rows, section_rows
from services.activities.directory.country_rows import CountryRow
from services.activities.directory.section_rows import SectionRow
from services.kernel.importing import Stage, Written
from services.kernel.runtime import Runtime

COLUMNS = section_rows.COLUMNS
OPTIONAL_COLUMNS = section_rows.OPTIONAL_COLUMNS
COUNTRY_COLUMNS = country_rows.COLUMNS
OPTIONAL_COUNTRY_COLUMNS = country_rows.OPTIONAL_COLUMNS


def stage(runtime: Runtime, *, from_accounts: bool) -> Stage:
    """Enter each row into the directory; `from_accounts` reads the record shape `accounts_sections_v2`."""

    async def write(session: AsyncSession, _: Runtime, row: SectionRow, __: object) -> Written:
        return Written(await actions.record_section(session, row))

    parse = section_rows.section_in_accounts if from_accounts else section_rows.section_in_list
    return Stage(runtime, "code", lambda row: str(row.code), parse, write)


def countries_stage(runtime: Runtime) -> Stage:
    """Enter each country with its national organisation."""

    async def write(session: AsyncSession, _: Runtime, row: CountryRow, __: object) -> Written:
        return Written(await actions.record_country(session, row))

    return Stage(runtime, "country_code_iso", lambda row: str(row.code), country_rows.country_in_list, write)
