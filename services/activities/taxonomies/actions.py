"""What is done with taxonomies: terms added, renamed and retired, mappings stated, labels checked, labels suggested."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.taxonomies import rules, store
from services.activities.taxonomies.rules import Label
from services.activities.taxonomies.schemas import MappingIn, TermChangeIn, TermIn
from services.activities.taxonomies.store import Stated, Usable
from services.activities.taxonomies.tables import Mapping, MappingChange, Scheme, Term, TermChange
from services.kernel.auth import Actor, Role
from services.kernel.problems import FieldError, Invalid

_BETWEEN_POSITIONS = 10


class Named(NamedTuple):
    """A label with the place where somebody named it."""

    pointer: str
    label: Label


class Suggestion(NamedTuple):
    """A label and the mappings that lead to it, the closest first."""

    label: Label
    because: list[Stated]


def check_editor(actor: Actor) -> None:
    """Refuse everybody but ESN International and the operator."""
    if actor.role not in {Role.INTERNATIONAL, Role.OPERATOR}:
        raise rules.EditorNeeded


async def faults_of(
    session: AsyncSession, named: Sequence[Named], *, kept: Collection[Label] = frozenset()
) -> list[FieldError]:
    """A fault for each label that is unknown, or retired and not among those `kept`; one statement for all of them."""
    return faults_among(await store.usable(session, {each.label.scheme for each in named}), named, kept=kept)


def faults_among(
    known: Sequence[Usable], named: Sequence[Named], *, kept: Collection[Label] = frozenset()
) -> list[FieldError]:
    """The same, where every term of the schemes in question has been read already."""
    by_label = {each.label: each for each in known}
    faults = []
    for pointer, label in named:
        found = by_label.get(label)
        if found is not None and (found.in_use or label in kept):
            continue
        choices = ", ".join(each.label.code for each in known if each.in_use and each.label.scheme == label.scheme)
        if found is None:
            detail = f"Unknown {rules.SINGULAR[label.scheme]}; one of: {choices}."
        elif found.replaced_by is not None:
            detail = f"Not used for new activities; {found.replaced_by} replaces it. One of: {choices}."
        else:
            detail = f"Not used for new activities; one of: {choices}."
        faults.append(FieldError(pointer=pointer, detail=detail))
    return faults


async def retired_among(session: AsyncSession, labels: Sequence[Label]) -> list[Label]:
    """Which of these labels may not be used today."""
    in_use = {each.label for each in await store.usable(session, {label.scheme for label in labels}) if each.in_use}
    return [label for label in labels if label not in in_use]


async def add_term(session: AsyncSession, actor: Actor, scheme_code: str, wanted: TermIn) -> Term:
    """Add a term to a scheme that is kept here."""
    scheme = await _lock_scheme(session, actor, scheme_code)
    label = Label(scheme_code, wanted.code)
    if await store.term(session, label) is not None:
        raise rules.TermExists
    position = wanted.position
    if position is None:
        position = await store.last_position(session, scheme_code) + _BETWEEN_POSITIONS
    term = Term(
        scheme=scheme_code, code=wanted.code, names=wanted.names, definition=wanted.definition, uri=None,
        position=position, begins_on=wanted.begins_on, retired_on=None, replaced_by=None, revision=0,
    )  # fmt: skip
    await _record(session, actor, scheme, term, before=None)
    return term


async def lock_term(session: AsyncSession, actor: Actor, label: Label) -> tuple[Scheme, Term]:
    """A term to change and its scheme, both locked."""
    scheme = await _lock_scheme(session, actor, label.scheme)
    term = await store.lock_term(session, label)
    if term is None:
        raise rules.TermNotFound
    return scheme, term


async def change_term(session: AsyncSession, actor: Actor, scheme: Scheme, term: Term, wanted: TermChangeIn) -> Term:
    """Rename, describe, move, retire or bring back a locked term."""
    before = _told(term)
    fields = wanted.model_fields_set
    if "names" in fields:
        laid_over: dict[str, str | None] = {**term.names, **wanted.names}
        term.names = {language: name for language, name in laid_over.items() if name is not None}
    for field in ("definition", "position", "begins_on", "retired_on", "replaced_by"):
        if field in fields:
            setattr(term, field, getattr(wanted, field))
    if term.begins_on is not None and term.retired_on is not None and term.retired_on < term.begins_on:
        raise Invalid.at("#/until", "Must not lie before `from`.")
    if "replaced_by" in fields and wanted.replaced_by is not None:
        if wanted.replaced_by == term.code:
            raise Invalid.at("#/replaced_by", "A term can't replace itself.")
        with session.no_autoflush:
            if await store.term(session, Label(scheme.code, wanted.replaced_by)) is None:
                raise Invalid.at("#/replaced_by", "There is no such term in this scheme.")
    await _record(session, actor, scheme, term, before=before)
    # Feeds for others speak English.
    if term.names["en"] != before["names"]["en"] and scheme.code in rules.FIRST_CODES:
        store.begin_round(session, Label(scheme.code, term.code))
    return term


async def state_mapping(
    session: AsyncSession, actor: Actor, source: Label, target: Label, row: Mapping | None, wanted: MappingIn
) -> Mapping:
    """Say how one term lies to another; `row` is what was said so far, read after `lock_ends`."""
    before = _content(row) if row is not None else None
    if row is None:
        row = Mapping(
            source_scheme=source.scheme, source_code=source.code, target_scheme=target.scheme, target_code=target.code,
            revision=await _last_revision(session, source, target),
        )  # fmt: skip
    row.relation, row.note, row.ours = wanted.relation.value, wanted.note, wanted.ours
    row.revision += 1
    row.updated_at = await store.now(session)
    session.add(row)
    _note(session, actor, source, target, row.revision, before=before, after=_content(row))
    await session.flush()
    return row


async def withdraw_mapping(session: AsyncSession, actor: Actor, source: Label, target: Label, row: Mapping) -> None:
    """Take a mapping out of the crosswalk; its history stays."""
    _note(session, actor, source, target, row.revision + 1, before=_content(row), after=None)
    await store.delete_mapping(session, row)


async def lock_ends(session: AsyncSession, actor: Actor, source: Label, target: Label) -> Mapping | None:
    """Make sure that a mapping may be changed, hold off others who would, and answer what it says so far."""
    check_editor(actor)
    if await store.lock_term(session, source) is None or await store.term(session, target) is None:
        raise rules.TermNotFound
    return await store.mapping(session, source, target)


async def suggest(session: AsyncSession, given: Sequence[Label], wanted: str) -> list[Suggestion]:
    """Labels of a scheme that the crosswalk leads to from the given ones and that may be used today."""
    in_use = [each.label for each in await store.usable(session, {wanted}) if each.in_use]
    found: dict[Label, list[Stated]] = {}
    for stated in await store.crosswalk(session, sources=given, target=Label(wanted, "")):
        if stated.target in in_use and stated.target not in given:
            found.setdefault(stated.target, []).append(stated)
    for because in found.values():
        because.sort(key=_closeness)
    # The closest first, then what more of the given ones lead to, then the order of the scheme.
    order = sorted(found, key=lambda label: (_closeness(found[label][0]), -len(found[label]), in_use.index(label)))
    return [Suggestion(label, found[label]) for label in order]


def _closeness(stated: Stated) -> int:
    return rules.CLOSEST_FIRST.index(rules.Relation(stated.relation))


async def _lock_scheme(session: AsyncSession, actor: Actor, code: str) -> Scheme:
    check_editor(actor)
    scheme = await store.lock_scheme(session, code)
    if scheme is None:
        raise rules.SchemeNotFound
    if not scheme.kept_here:
        raise rules.ForeignScheme
    return scheme


async def _record(
    session: AsyncSession, actor: Actor, scheme: Scheme, term: Term, before: dict[str, Any] | None
) -> None:
    moment = await store.now(session)
    scheme.version += 1
    term.revision += 1
    scheme.updated_at = term.updated_at = moment
    session.add(term)
    await session.flush()
    store.add(
        session,
        TermChange(
            scheme=scheme.code, version=scheme.version, code=term.code, actor_id=actor.id,
            actor_role=actor.role.value, before=before, after=_told(term),
        ),
    )  # fmt: skip
    await session.flush()


def _told(term: Term) -> dict[str, Any]:
    return {
        "names": dict(term.names),
        "definition": term.definition,
        "position": term.position,
        "from": term.begins_on and term.begins_on.isoformat(),
        "until": term.retired_on and term.retired_on.isoformat(),
        "replaced_by": term.replaced_by,
    }


def _content(row: Mapping) -> dict[str, Any]:
    return {"relation": row.relation, "note": row.note, "ours": row.ours}


async def _last_revision(session: AsyncSession, source: Label, target: Label) -> int:
    changes = await store.mapping_changes(session, source, target)
    return changes[0].revision if changes else 0


def _note(
    session: AsyncSession,
    actor: Actor,
    source: Label,
    target: Label,
    revision: int,
    *,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    store.add(
        session,
        MappingChange(
            source_scheme=source.scheme, source_code=source.code, target_scheme=target.scheme, target_code=target.code,
            revision=revision, actor_id=actor.id, actor_role=actor.role.value, before=before, after=after,
        ),
    )  # fmt: skip
