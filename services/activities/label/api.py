"""Routes of the label: its criteria, and what each country makes of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from services.activities.label import actions, rules, store, wording
from services.activities.label.schemas import (
    ChoiceOut,
    CriterionOut,
    LabelCriteria,
    PolicyIn,
    PolicyOut,
    PolicyPage,
)
from services.activities.label.tables import LabelPolicy
from services.kernel import idempotency
from services.kernel.auth import Caller
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import Forbidden, PreconditionFailed, PreconditionRequired, Unauthenticated, documented
from services.kernel.routes import check_if_match
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Writing
from services.kernel.texts import AssignedCountryCode

router = make_router(tag="label")


@router.get("/label")
async def get_label() -> LabelCriteria:
    """The label's checklist, each criterion with the draft's field and its question in English, Italian and Spanish."""
    choices = [ChoiceOut(code=code, wording=words) for code, words in wording.CHOICES.items()]
    return LabelCriteria(
        introduction=wording.INTRODUCTION,
        criteria=[
            CriterionOut(field="action_modes", answer="choices", question=_question("action_modes"), choices=choices),
            CriterionOut(field="for_a_cause", answer="yes", question=_question("for_a_cause"), choices=[]),
            *(
                CriterionOut(field=field, answer="sentence", question=_question(field), choices=[])
                for field in ("community_impact", "student_part")
            ),
        ],
    )


@router.get("/label/policies")
async def list_label_policies(
    request: Request, session: Reading, limit: Limit = 50, cursor: Cursor = None
) -> PolicyPage:
    """The countries that have said whether they require the label or only record it; all others require it."""
    page = Page(request, cursor)
    rows = await store.policies(session, after=str(page.after[0]) if page.after else None, limit=limit + 1)
    items = [PolicyOut.model_validate(row) for row in rows[:limit]]
    return PolicyPage(items=items, next=page.next_url([items[-1].country]) if len(rows) > limit else None)


@router.get("/label/policies/{country}", response_model=PolicyOut)
async def get_label_policy(session: Reading, country: AssignedCountryCode) -> Response:
    """What one country makes of the label."""
    row = await store.policy(session, country)
    if row is not None:
        return _reply(row)
    unsaid = PolicyOut(country=country, policy=rules.DEFAULT_POLICY, since=None)
    return Response(unsaid.model_dump_json(), media_type="application/json")


@router.put(
    "/label/policies/{country}",
    response_model=PolicyOut,
    dependencies=[idempotency.optional],
    responses=documented(Unauthenticated, Forbidden, PreconditionFailed, PreconditionRequired),
)
async def decide_label_policy(
    request: Request, session: Writing, actor: Caller, country: AssignedCountryCode, wanted: PolicyIn
) -> Response:
    """Say whether your country requires the label; once it has said so, a change needs the ETag in If-Match."""

    def check_seen(row: LabelPolicy) -> None:
        check_if_match(request, _etag(row))

    return _reply(await actions.decide(session, actor, country, wanted.policy, check_seen=check_seen))


def _question(field: str) -> dict[str, str]:
    return wording.QUESTIONS[field]


def _etag(row: LabelPolicy) -> str:
    return f'"{row.revision}"'


def _reply(row: LabelPolicy) -> Response:
    body = PolicyOut.model_validate(row).model_dump_json()
    return Response(body, media_type="application/json", headers={"ETag": _etag(row)})
