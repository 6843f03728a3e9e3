"""What kinds of partners there are, what they contribute, and the capability's problems."""

from __future__ import annotations

from typing import Final

from services.kernel.problems import Conflict, Forbidden, NotFound

LEVELS: Final = {"local": "Local", "national": "National", "international": "International"}
"""How far a partner reaches."""

KINDS: Final = {
    "charity": "Charity",
    "association": "Association",
    "school": "School",
    "university": "University",
    "institution": "Public institution",
    "company": "Company",
    "other": "Other",
}
"""What a partner is."""

CONTRIBUTIONS: Final = {
    "place": "A place",
    "materials": "Materials",
    "expertise": "Expertise",
    "staff": "Staff",
    "money": "Money",
    "transport": "Transport",
    "food": "Food",
    "other": "Something else",
}
"""What a partner gives to an activity."""

MOST_SIMILAR: Final = 5
LEAST_SIMILARITY: Final = 0.45


class PartnerNotFound(NotFound):
    """There is no such partner."""


class PartnerOutOfReach(Forbidden):
    """This partner was entered by another section or country than yours."""

    title = "Out of reach"


class MergingNeedsACountry(Forbidden):
    """Only a national coordinator, or ESN International, merges partners."""

    title = "Not allowed"


class SimilarPartner(Conflict):
    """A partner with a similar name is known in this country: use it, or send "even_if_similar": true."""

    title = "Perhaps known already"


class PartnerMerged(Conflict):
    """One of the two was merged into another partner already."""

    title = "Merged already"
