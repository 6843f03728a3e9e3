"""Words for codes, the relations of the crosswalk, and the codes that the product began with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from services.kernel.problems import Conflict, Forbidden, NotFound

ENGLISH: Final = "en"

# The words below are those of the files that are read by hand: past records and the sample network. What may be said
# of an activity today stands in the tables, where ESN International keeps it.
AREAS: Final = {
    "animals": "Animals",
    "disasters": "Disasters",
    "discrimination": "Discrimination",
    "education": "Education",
    "environment": "Environment",
    "health": "Health",
    "poverty": "Poverty",
    "violence": "Violence",
}
"""The eight areas of 2015."""

CAUSES: Final = {
    "culture": "Culture",
    "education-youth": "Education & Youth",
    "environmental-sustainability": "Environmental Sustainability",
    "health-well-being": "Health & Well-being",
    "skills-employability": "Skills & Employability",
    "social-inclusion": "Social Inclusion",
}
"""The six causes of 2018."""

OBJECTIVES: Final = {
    "active-citizenship": "Foster Active Citizenship & Volunteering",
    "intercultural-dialogue": "Foster Intercultural Dialogue",
    "local-integration": "Social and Cultural Integration in Local Community",
    "minority-inclusion": "Diversity and Inclusion of Minority Groups",
    "mental-health": "Mental Health & Well-Being",
    "physical-health": "Physical Health & Well-Being",
    "responsible-consumption": "Fostering Responsible Consumption",
    "circular-economy": "Fostering Circular Economy",
    "climate-crisis": "Fighting Climate Crisis",
    "waste-recycling": "Reducing Waste and Promoting Recycling",
}
"""Objectives seen on pages of ESN; its list has more."""

KINDS: Final = {
    "volunteering": "Volunteering",
    "fundraising": "Fundraising",
    "goods_collection": "Collection of goods",
    "awareness": "Raising awareness",
    "education": "Education",
    "training": "Training",
    "campaign": "Campaign",
    "gathering": "Gathering",
}
"""What is done."""

PROGRAMMES: Final = {
    "socialerasmus": "SocialErasmus",
    "erasmus_in_schools": "Erasmus in Schools",
    "exchangeability": "ExchangeAbility",
}
"""The programme of ESN under which it is done."""

MODES: Final = {"physical": "On site", "online": "Online", "hybrid": "On site and online"}
"""Where it is done."""

SDGS: Final = range(1, 18)
"""The Sustainable Development Goals of the United Nations."""

FIRST_CODES: Final[Mapping[str, Mapping[str, str]]] = {
    "areas": AREAS,
    "causes": CAUSES,
    "objectives": OBJECTIVES,
    "kinds": KINDS,
    "programmes": PROGRAMMES,
    "modes": MODES,
}
"""The codes that every database has, since none is ever taken away."""

SINGULAR: Final = {
    "areas": "area",
    "causes": "cause",
    "objectives": "objective",
    "kinds": "kind",
    "programmes": "programme",
    "modes": "mode",
}


class Relation(StrEnum):
    """How the meaning of one term lies to that of another, in the words of SKOS."""

    EXACT = "exactMatch"
    CLOSE = "closeMatch"
    BROAD = "broadMatch"
    RELATED = "relatedMatch"


CLOSEST_FIRST: Final = tuple(Relation)


class Label(NamedTuple):
    """A code with the scheme that it belongs to, written as `areas:health`."""

    scheme: str
    code: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.code}"

    @classmethod
    def read(cls, written: str) -> Label:
        """The label that `areas:health` means; a scheme alone has an empty code."""
        scheme, _, code = written.partition(":")
        return cls(scheme, code)


class Words:
    """The names of every term, in the languages that they are known in."""

    def __init__(self, names: Mapping[Label, Mapping[str, str]]) -> None:
        self._names = names

    def knows(self, label: Label) -> bool:
        """Whether there is such a term, in use or retired."""
        return label in self._names

    def codes(self, scheme: str) -> list[str]:
        """Every code of a scheme, in its order."""
        return [label.code for label in self._names if label.scheme == scheme]

    def name(self, scheme: str, code: str, language: str = ENGLISH) -> str:
        """A term's name in a language, else in English; of an unknown term its code."""
        names = self._names.get(Label(scheme, code), {})
        return names.get(language) or names.get(ENGLISH) or code


FIRST_WORDS: Final = Words(
    {Label(scheme, code): {ENGLISH: name} for scheme, codes in FIRST_CODES.items() for code, name in codes.items()}
)


def is_in_use(begins_on: date | None, retired_on: date | None, today: date) -> bool:
    """Whether new activities may carry a term on a day."""
    return (begins_on is None or begins_on <= today) and (retired_on is None or today < retired_on)


class SchemeNotFound(NotFound):
    """There is no scheme with this code."""


class TermNotFound(NotFound):
    """There is no term with this code in the scheme."""


class MappingNotFound(NotFound):
    """The crosswalk does not lead from this term to that one."""


class EditorNeeded(Forbidden):
    """Only ESN International keeps the taxonomies and the crosswalk."""


class TermExists(Conflict):
    """The scheme has a term with this code; a retired one can be brought back by changing its `until` to null."""


class ForeignScheme(Conflict):
    """The words of this scheme are kept by the organisation it belongs to, not here."""
