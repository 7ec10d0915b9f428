"""Where a replacement may run, and in which order it is tried."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.places import MOST, InstanceType, Offers, Price, priced_types, rank, refused_last
from spottui.domain.plan import Candidate, PlaceRules, Stock

OLD, HOME = "ecs.c7.large", "cn-hangzhou-h"
ZONES = (HOME, "cn-hangzhou-i", "cn-hangzhou-j")
VSWITCHES = {zone: f"vsw-{zone[-1]}" for zone in ZONES}
INSTANCE = Instance("cn-hangzhou", "i-1", "web-1", OLD, HOME, InstanceStatus.RUNNING, "SpotAsPriceGo", True)
SPEC = LaunchSpec(replace(INSTANCE, vcpus=2, memory_gib=4), "vsw-h", ("sg-1",), ())
LIMITED = replace(SPEC, instance=replace(SPEC.instance, spot_strategy="SpotWithPriceLimit"), spot_price_limit=0.2)
TYPES = (
    InstanceType(OLD, 2, 4, "X86", "EnterpriseLevel"),
    InstanceType("ecs.c8i.large", 2, 4, "X86", "EnterpriseLevel"),
    InstanceType("ecs.g7.large", 2, 8, "X86", "EnterpriseLevel"),
    InstanceType("ecs.c7.2xlarge", 8, 16, "X86", "EnterpriseLevel"),
    InstanceType("ecs.wide.large", 8, 8, "X86", "EnterpriseLevel"),
    InstanceType("ecs.deep.large", 2, 16, "X86", "EnterpriseLevel"),
    InstanceType("ecs.c7.small", 1, 2, "X86", "EnterpriseLevel"),
    InstanceType("ecs.g8y.large", 2, 8, "ARM", "EnterpriseLevel"),
    InstanceType("ecs.t6.large", 2, 4, "X86", "CreditEntryLevel"),
    InstanceType("ecs.gn6i.large", 2, 8, "X86", "EnterpriseLevel", gpu="1 x T4"),
    InstanceType("ecs.i4.large", 2, 8, "X86", "EnterpriseLevel", local_disks=1),
    InstanceType("ecs.ebmc7.large", 2, 8, "X86", "EnterpriseLevel", "ECS Bare Metal"),
)
LIKE = {"ecs.c8i.large", "ecs.g7.large"}
NAMES = tuple(kind.name for kind in TYPES)
EVERYWHERE = {(name, zone): Stock.GOOD for name in NAMES for zone in ZONES}

pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(ZONES))
prices = st.builds(Price, st.floats(0.01, 0.5), st.floats(0.5, 1))
offers = st.builds(
    Offers,
    spot=st.dictionaries(pairs, st.sampled_from(Stock)),
    on_demand=st.dictionaries(pairs, st.sampled_from(Stock)),
    rates=st.dictionaries(pairs, st.sampled_from(("0-3%", "3-5%", "10-100%", "", "often"))),
    prices=st.dictionaries(pairs, prices),
    types=st.sampled_from(((), TYPES)),
    resting=st.dictionaries(st.tuples(st.sampled_from(NAMES), st.sampled_from(ZONES), st.booleans()), st.just("sold")),
)
rules = st.builds(
    PlaceRules,
    vswitches=st.lists(st.sampled_from(ZONES), unique=True).map(lambda zones: {z: VSWITCHES[z] for z in zones}),
    types=st.lists(st.sampled_from((*NAMES, "ecs.x.large")), max_size=4).map(tuple),
    other_types=st.booleans(),
    on_demand=st.booleans(),
)
specs = st.sampled_from((SPEC, LIMITED))


def names(candidates: tuple[Candidate, ...]) -> list[tuple[str, str]]:
    return [(one.instance_type, one.zone[-1]) for one in candidates]


@given(specs, rules, offers)
def test_no_place_comes_twice_and_each_has_the_vswitch_of_its_zone(
    spec: LaunchSpec, rule: PlaceRules, offer: Offers
) -> None:
    found = rank(spec, rule, offer)
    assert 0 < len(found) <= MOST
    assert len({one.place for one in found}) == len(found)
    assert all(one.vswitch_id == VSWITCHES[one.zone] and one.reason for one in found)


@given(specs, rules, offers)
def test_nothing_is_offered_that_the_rules_do_not_allow(spec: LaunchSpec, rule: PlaceRules, offer: Offers) -> None:
    found = rank(spec, rule, offer)
    assert rule.on_demand or not [one for one in found if one.on_demand]
    allowed = {OLD, *rule.types} | (LIKE if rule.other_types else set())
    assert {one.instance_type for one in found} <= allowed
    assert {one.zone for one in found} <= {HOME, *rule.vswitches}


@given(specs, rules, offers)
def test_what_is_sold_out_comes_last_and_is_of_the_old_type_while_anything_else_is_left(
    spec: LaunchSpec, rule: PlaceRules, offer: Offers
) -> None:
    found = rank(spec, rule, replace(offer, resting={}, prices={}))
    sold_out = [one.stock is Stock.NONE for one in found]
    assert sold_out == sorted(sold_out)
    if not all(sold_out):
        assert sum(sold_out) <= 1
        assert {one.instance_type for one in found if one.stock is Stock.NONE} <= {OLD}


@given(specs, rules, offers)
def test_what_rests_or_would_be_refused_for_its_price_comes_after_all_others(
    spec: LaunchSpec, rule: PlaceRules, offer: Offers
) -> None:
    limit = spec.spot_price_limit or float("inf")
    trouble = [
        2 * (one.place in offer.resting) + (not one.on_demand and (one.price_per_hour or 0) > limit)
        for one in rank(spec, rule, offer)
    ]
    assert trouble == sorted(trouble)


@given(rules, offers)
def test_on_demand_is_the_last_resort_and_never_cut_from_the_list(rule: PlaceRules, offer: Offers) -> None:
    rule, offer = replace(rule, on_demand=True), replace(offer, resting={}, on_demand=EVERYWHERE)
    found = [one.on_demand for one in rank(SPEC, rule, offer) if one.stock is not Stock.NONE]
    assert any(found)
    assert found == sorted(found)


def test_the_old_place_leads_then_its_type_then_the_configured_then_others_then_on_demand() -> None:
    rule = PlaceRules(VSWITCHES, types=("ecs.t6.large",), on_demand=True)
    home_only = {(name, zone): stock for (name, zone), stock in EVERYWHERE.items() if name == OLD or zone == HOME}
    offer = Offers(spot=home_only, on_demand=home_only, types=TYPES)
    found = rank(SPEC, replace(rule, vswitches={HOME: "vsw-h", ZONES[1]: "vsw-i"}), offer)
    assert names(found) == [
        (OLD, "h"),
        (OLD, "i"),
        ("ecs.t6.large", "h"),
        ("ecs.t6.large", "i"),
        ("ecs.c8i.large", "h"),
        ("ecs.g7.large", "h"),
        (OLD, "h"),
        (OLD, "i"),
    ]
    assert [one.on_demand for one in found] == [False] * 6 + [True] * 2


def test_within_its_kind_a_place_is_better_by_stock_then_by_interruptions_then_by_price() -> None:
    spot = {(OLD, zone): Stock.GOOD for zone in ZONES}
    rates = {(OLD, zone): "0-3%" for zone in ZONES}
    costs = {(OLD, ZONES[1]): Price(0.2, 1), (OLD, ZONES[2]): Price(0.1, 1)}
    rule = PlaceRules(VSWITCHES, other_types=False)
    everything = Offers(spot, {}, rates, costs)
    assert names(rank(SPEC, rule, everything)) == [(OLD, "h"), (OLD, "j"), (OLD, "i")]
    shaky = replace(everything, rates={**rates, (OLD, ZONES[2]): "10-100%"})
    assert names(rank(SPEC, rule, shaky)) == [(OLD, "h"), (OLD, "i"), (OLD, "j")]
    scarce = replace(shaky, spot={**spot, (OLD, ZONES[1]): Stock.LOW})
    assert names(rank(SPEC, rule, scarce)) == [(OLD, "h"), (OLD, "j"), (OLD, "i")]


def test_the_reason_says_the_rank_in_words() -> None:
    rule = PlaceRules(VSWITCHES, on_demand=True, other_types=False)
    offer = Offers(
        spot={(OLD, HOME): Stock.NONE, (OLD, ZONES[1]): Stock.GOOD, (OLD, ZONES[2]): Stock.LOW},
        on_demand={(OLD, HOME): Stock.GOOD},
        rates={(OLD, ZONES[1]): "0-3%"},
        prices={(OLD, HOME): Price(0.15, 0.43), (OLD, ZONES[2]): Price(0.3, 0.43)},
        resting={(OLD, ZONES[1], False): "OperationDenied.NoStock"},
    )
    assert [one.reason for one in rank(LIMITED, rule, offer)] == [
        "on-demand, same type, zone and vSwitch; in stock, +0.280 an hour",
        "on-demand, same type, other zone; +0.280 an hour",
        "same type, zone and vSwitch; sold out",
        "same type, other zone; low stock; above the price limit of 0.200",
        "same type, other zone; in stock, interrupted 0-3%; rests: OperationDenied.NoStock",
    ]


def test_what_was_no_spot_instance_is_launched_on_demand_again() -> None:
    spec = replace(SPEC, instance=replace(SPEC.instance, spot_strategy="NoSpot"))
    offer = Offers(on_demand=EVERYWHERE, prices={(OLD, HOME): Price(0.1, 0.4)}, types=TYPES)
    found = rank(spec, PlaceRules(VSWITCHES), offer)
    assert {one.on_demand for one in found} == {True}
    assert found[0].price_per_hour == offer.old_price(spec) == 0.4
    assert {one.instance_type for one in found} == {OLD, *LIKE}


def test_prices_are_asked_of_few_types_the_old_one_and_the_configured_first() -> None:
    offer = Offers(spot=EVERYWHERE, types=TYPES)
    found = priced_types(SPEC, PlaceRules(VSWITCHES, types=("ecs.t6.large",)), offer)
    assert found[:2] == (OLD, "ecs.t6.large")
    assert set(found[2:]) == LIKE


@given(st.lists(st.builds(Candidate, st.text(), st.text(), st.text(), st.text(), problem=st.sampled_from(("", "no")))))
def test_refused_places_go_behind_the_others_and_keep_their_order(candidates: list[Candidate]) -> None:
    found = refused_last(candidates)
    assert found == (*[one for one in candidates if not one.problem], *[one for one in candidates if one.problem])
