"""The privacy notice tells of every column that is personal, and the texts of consents are what people agreed to."""

from __future__ import annotations

import hashlib

import pytest

from services.registration.mail.catalogues import tags
from services.registration.people import agreements
from services.registration.privacy.notice import notice
from services.registration.privacy.register import IMPERSONAL, RECORDS, VOLUNTEERS
from services.registration.privacy.store import NOT_EXPORTED
from services.registry import HISTORIES
from tests.harness.databases import rows
from tests.harness.network import Network
from tests.harness.sign_ups import VERSIONS

COLUMNS = """
SELECT table_schema || '.' || table_name, column_name FROM information_schema.columns
WHERE table_schema = ANY($1) AND table_name <> 'alembic_version'
"""
# Words in the name of a column that may tell who somebody is, or who did something.
_TELLING = {"actor", "caller", "email", "given", "family", "recipient", "phone", "author"}
# Of the hashes of all languages.
AGREED = {
    ("participation", "2026-09"): "ad6887606bfe9fa9",
    ("of_age", "2026-09"): "f1c88204c9d74351",
    ("of_age", "2026-11"): "ca4ad6288f12cdca",
}


@pytest.fixture(scope="module")
async def columns(shared: Network) -> set[tuple[str, str]]:
    return {tuple(row) for row in await rows(shared.database_url, COLUMNS, list(HISTORIES))}


def _personal() -> list[tuple[str, str]]:
    return [(record.table, column) for record in (*RECORDS, *VOLUNTEERS) for column in record.columns]


def _impersonal() -> set[tuple[str, str]]:
    return {(table, column) for table, names in IMPERSONAL.items() for column in names}


async def test_every_column_of_registration_is_personal_or_not_and_somebody_has_decided(
    columns: set[tuple[str, str]],
) -> None:
    ours = {column for column in columns if column[0].startswith("registration.")}
    decided = {column for column in [*_personal(), *_impersonal()] if column[0].startswith("registration.")}
    assert ours - decided == set(), "decide whether these are personal, in privacy/register.py"
    assert decided - ours == set(), "these are no more"
    assert set(_personal()) & _impersonal() == set()
    assert len(_personal()) == len(set(_personal())), "a column is kept for two reasons"


async def test_elsewhere_nothing_that_tells_who_did_something_is_left_out(columns: set[tuple[str, str]]) -> None:
    # What an access is called by those who gave it names somebody; elsewhere a label is a word of a taxonomy.
    labels = {column for column in columns if column[1] == "label" and column[0].startswith("access.")}
    by_name = labels | {column for column in columns if _TELLING & set(column[1].split("_"))}
    done_by_somebody = {column for column in columns if column[1].endswith("_by") and column[1] != "replaced_by"}
    telling = by_name | done_by_somebody
    assert ("access.tokens", "label") in telling
    assert telling - set(_personal()) == set()
    assert set(_personal()) <= columns


def test_what_somebody_is_not_given_is_named_column_by_column() -> None:
    assert {(table, name) for table, names in NOT_EXPORTED.items() for name in names} <= set(_personal())


async def test_the_notice_tells_of_every_column_and_how_long_it_is_kept(shared: Network) -> None:
    served = (await shared.client.get("/registration/v1/privacy")).json()
    told = {(record["table"], column["name"]) for record in served["records"] for column in record["columns"]}
    assert told == set(_personal())
    for record in served["records"]:
        assert record["purpose"]
        assert record["legal_basis"].startswith("Art. 6(1)")
        assert record["kept"]
        assert record["seen_by"]
        assert "{" not in record["kept"]
    answers = next(record for record in served["records"] if "answers" in {each["name"] for each in record["columns"]})
    assert answers["kept"].startswith("365 days after the activity's end (30 days")
    assert (served["consenting_ages"]["IT"], "DE" in served["consenting_ages"]) == (14, False)
    assert len(served["version"]) == 12


async def test_the_notice_has_another_version_when_anything_of_it_is_otherwise(shared: Network) -> None:
    other = shared.settings.model_copy(update={"keep_people_days": 200})
    assert notice(other).version != notice(shared.settings).version


@pytest.mark.parametrize("tag", tags())
async def test_the_notice_is_a_page_in_every_language(shared: Network, tag: str) -> None:
    page = await shared.client.get("/registration/privacy", headers={"Accept-Language": f"{tag}-XX,en;q=0.5"})
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert f'<html lang="{tag}" dir="ltr">' in page.text
    assert page.text.count("<section>") == len((*RECORDS, *VOLUNTEERS))
    assert "http" not in page.text, "it loads nothing"
    assert page.text == (await shared.client.get(f"/registration/privacy?lang={tag}&utm_source=x")).text


@pytest.mark.parametrize("lang", ["xx", "", "../../en", "%00"])
async def test_the_notice_is_english_in_a_language_there_is_not(shared: Network, lang: str) -> None:
    page = await shared.client.get(f"/registration/privacy?lang={lang}")
    assert (page.status_code, '<html lang="en"' in page.text) == (200, True)


@pytest.mark.parametrize(("purpose", "current"), VERSIONS.items())
async def test_the_text_of_a_consent_is_served_with_its_hash_in_every_language(
    shared: Network, purpose: str, current: str
) -> None:
    found = (await shared.client.get(f"/registration/v1/consents/{purpose}")).json()
    assert found["current"] == found["versions"][-1]["text_version"] == current
    for version in found["versions"]:
        assert [text["language"] for text in version["texts"]] == list(tags())
        for text in version["texts"]:
            assert text["sha256"] == hashlib.sha256(text["text"].encode()).hexdigest()


@pytest.mark.parametrize(("agreed", "known"), AGREED.items(), ids=str)
def test_a_text_that_people_agreed_to_is_never_changed(agreed: tuple[str, str], known: str) -> None:
    texts = agreements.known()[agreed[0]][agreed[1]]
    assert hashlib.sha256("".join(text.sha256 for text in texts).encode()).hexdigest()[:16] == known


def test_every_text_that_people_agreed_to_is_held_to_that() -> None:
    assert {(purpose, version) for purpose, versions in agreements.known().items() for version in versions} == set(
        AGREED
    )


def test_whose_language_there_is_not_agrees_to_the_english_text() -> None:
    assert agreements.agreement("participation", "2026-09", "pt-BR").language == "en"
    assert agreements.agreement("participation", "2026-09", "fr-CA").language == "fr"
