"""The code lists of SocialErasmus, each with the generation it belongs to, and what the directory refuses."""

from __future__ import annotations

from services.kernel.problems import Conflict, Forbidden, NotFound

AREAS = {
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

CAUSES = {
    "culture": "Culture",
    "education-youth": "Education & Youth",
    "environmental-sustainability": "Environmental Sustainability",
    "health-well-being": "Health & Well-being",
    "skills-employability": "Skills & Employability",
    "social-inclusion": "Social Inclusion",
}
"""The six causes of 2018."""

KINDS = {
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

PROGRAMMES = {
    "socialerasmus": "SocialErasmus",
    "erasmus_in_schools": "Erasmus in Schools",
    "exchangeability": "ExchangeAbility",
}
"""The programme of ESN under which it is done."""

MODES = {"physical": "On site", "online": "Online", "hybrid": "On site and online"}
"""Where it is done."""

SDGS = range(1, 18)
"""The Sustainable Development Goals of the United Nations."""


class SectionNotFound(NotFound):
    """There is no section with this code."""


class CountryNotFound(NotFound):
    """There is no country of the network with this code."""


class PlatformNotFound(NotFound):
    """There is no regional platform with this code."""


class SyncNotFound(NotFound):
    """There is no list of sections with this id; lists are kept for a month."""


class SectionOutOfReach(Forbidden):
    """This section is not yours and does not lie in your country."""


class NetworkOnly(Forbidden):
    """Only ESN International and operators change this."""


class DifferenceChanged(Conflict):
    """The directory was changed since: send the list again and look at what it would change now."""

    title = "Difference changed"
