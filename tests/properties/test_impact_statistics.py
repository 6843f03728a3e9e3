"""The items of a statistic add up to its total, and amounts of different units are never added."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.impact.facts.rules import Figures, Quantity
from services.impact.statistics.measures import MEASURES, QUANTITIES
from services.impact.statistics.rules import CLASSES, UNCLASSIFIED, Group, row, total

AMOUNTS = st.decimals(min_value="0.000001", max_value="1000000", places=6)
CLASSES_AND_NONE = [f"participants_{name}" for name in (*CLASSES, UNCLASSIFIED)]
GROUPS = st.lists(
    st.builds(
        Group,
        key=st.tuples(st.sampled_from(["IT", "ES", None])),
        figures=st.builds(
            Figures,
            **{
                name: st.decimals(min_value=0, max_value=10**6, places=2)
                if name.endswith("hours")
                else st.integers(min_value=0, max_value=10**6)
                for name in Figures._fields
            },
        ),
        quantities=st.dictionaries(
            st.sampled_from([Quantity("waste", "kg"), Quantity("waste", "t"), Quantity("money", "EUR")]), AMOUNTS
        ).map(lambda found: tuple(found.items())),
    ),
    max_size=8,
)


@given(GROUPS)
def test_items_add_up_to_the_total(groups: list[Group]) -> None:
    items = [row(group, ("country",), MEASURES) for group in groups]
    whole = row(total(groups), (), MEASURES)
    for name in MEASURES:
        if name == QUANTITIES or MEASURES[name].is_ratio:
            continue
        assert round(sum(item[name] for item in items), 2) == round(whole[name], 2)
    amounts: Counter[tuple[str, str]] = Counter()
    for item in items:
        for each in item[QUANTITIES]:
            amounts[each["measure"], each["unit"]] += Decimal(each["amount"])  # type: ignore[assignment]
    assert amounts == {(each["measure"], each["unit"]): Decimal(each["amount"]) for each in whole[QUANTITIES]}


@given(GROUPS)
def test_the_classes_of_participants_add_up_to_the_participants(groups: list[Group]) -> None:
    for group in groups:
        told = row(group, ("country",), MEASURES)
        classes = [told[name] for name in CLASSES_AND_NONE]
        assert sum(classes) == told["participants"]
