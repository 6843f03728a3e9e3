"""The code lists of SocialErasmus, each with the generation it belongs to."""

from __future__ import annotations

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
