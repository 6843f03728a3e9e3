"""Every activity's document names the page on which people sign up for it."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# A document is text, whose order stays. No text in it has a quotation mark without a backslash before it, so nothing
# that somebody wrote looks like this.
_MOMENT = '(?:null|"[^"]*")'
_OWN = rf'("sign_up":\{{"state":"[a-z_]*","opens_at":{_MOMENT},"closes_at":{_MOMENT},"url":)'
_OFFERED = rf'{_OWN}"([^"]*)/registration/v1/registrations"\}}'
_WITH_PAGE = r'\1"\2/registration/v1/registrations","page_url":"\2/registration/activities/'
_NOT_OFFERED = rf"{_OWN}null\}}"
_WITHOUT_PAGE = r'\1null,"page_url":null}'
_PAGE = rf'({_OWN}(?:null|"[^"]*")),"page_url":(?:null|"[^"]*")\}}'


def upgrade() -> None:
    """Write the address behind the one for programs; what the version before still writes gets it later."""
    _replace(_OFFERED, f"'{_WITH_PAGE}' || activities.id || '\"}}'")
    _replace(_NOT_OFFERED, f"'{_WITHOUT_PAGE}'")


def downgrade() -> None:
    """Take it out again."""
    _replace(_PAGE, r"'\1}'")


def _replace(pattern: str, replacement: str) -> None:
    """Replace in each document and in its variants in further languages."""
    variants = (
        f"(SELECT jsonb_object_agg(key, regexp_replace(value, '{pattern}', {replacement})) "
        "FROM jsonb_each_text(documents))"
    )
    statement = (
        f"UPDATE activities.activities SET document = regexp_replace(document, '{pattern}', {replacement}), "
        f"documents = coalesce({variants}, '{{}}') WHERE document ~ '{pattern}'"
    )
    op.get_bind().exec_driver_sql(statement)
