"""What an error code means: every row of the table, and every code that no row knows."""

from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spottui.cloud.codes import ACTING, MEANINGS, Meaning, kind_of
from spottui.cloud.errors import ErrorKind

IN_FULL = frozenset(meaning.code for meaning in MEANINGS if not meaning.code.endswith("*"))
OF_THE_KEY = tuple(
    meaning.code[:-1] for meaning in MEANINGS if meaning.code.endswith("*") and meaning.kind is ErrorKind.CREDENTIALS
)
REFUSALS = st.integers(400, 499).filter(lambda status: status != 429)
CODES = st.from_regex(r"[A-Z][A-Za-z]{2,20}(\.[A-Z][A-Za-z0-9]{1,20}){0,2}", fullmatch=True)
LIKE_KNOWN = st.builds("{}{}".format, st.sampled_from(sorted(IN_FULL)), st.sampled_from((".New", "s", ".Zone.New")))


@pytest.mark.parametrize("meaning", MEANINGS, ids=lambda meaning: f"{meaning.action}-{meaning.code}-{meaning.says}")
def test_every_row_decides_what_it_says_and_has_a_source(meaning: Meaning) -> None:
    code, action = meaning.code.replace("*", "Xy"), meaning.action or "DescribeInstances"
    assert kind_of(code, 403, action, meaning.says.upper()) is meaning.kind
    assert meaning.source


def test_no_two_rows_speak_of_the_same() -> None:
    rows = Counter((meaning.action, meaning.code, meaning.says) for meaning in MEANINGS)
    assert [row for row, times in rows.items() if times > 1] == []


@given(st.sampled_from(ACTING), CODES | LIKE_KNOWN, REFUSALS, st.text(max_size=40))
def test_no_unknown_refusal_ends_a_launch_or_is_repeated(action: str, code: str, status: int, message: str) -> None:
    assume(code not in IN_FULL and not code.startswith(OF_THE_KEY))
    kind = kind_of(code, status, action, message)
    assert not kind.ends_launch
    assert not kind.effect_unknown or code.startswith("ServiceUnavailable.")


@given(CODES, REFUSALS)
def test_an_unknown_refusal_of_a_launch_ends_its_place(code: str, status: int) -> None:
    assume(not any(meaning.fits("RunInstances", code, "") for meaning in MEANINGS))
    assert kind_of(code, status, "RunInstances") is ErrorKind.PLACE


@given(st.sampled_from((*ACTING, "DescribeInstances", "")), CODES, st.integers(500, 599))
def test_an_unknown_answer_of_a_broken_service_leaves_the_effect_unknown(action: str, code: str, status: int) -> None:
    assume(not any(meaning.fits(action, code, "") for meaning in MEANINGS))
    assert kind_of(code, status, action).effect_unknown


@given(st.text(), st.none() | st.integers(), st.text(), st.text())
def test_whatever_comes_has_one_kind(code: str, status: int | None, action: str, message: str) -> None:
    assert kind_of(code, status, action, message) in ErrorKind


@pytest.mark.parametrize("kind", ErrorKind)
def test_each_kind_says_exactly_one_thing_to_a_launch(kind: ErrorKind) -> None:
    assert [kind.ends_launch, kind.looks_first, kind.repeats].count(True) <= 1
    assert kind.repeats or not kind.effect_unknown
    assert kind.passes or not kind.repeats
    assert not (kind.passes and kind.ends_launch)


@pytest.mark.parametrize(
    ("action", "code", "status", "kind"),
    [
        ("", "Throttling.User", 400, ErrorKind.THROTTLED),
        ("", "SomethingNew", 429, ErrorKind.THROTTLED),
        ("", "LastTokenProcessing", 403, ErrorKind.IN_PROCESS),
        ("", "InvalidAccessKeyId.NotFound", 404, ErrorKind.CREDENTIALS),
        ("DescribeInstances", "Forbidden.Anything", 403, ErrorKind.DENIED),
        ("DescribeInstances", "InvalidInstanceId.NotFound", 404, ErrorKind.NOT_FOUND),
        ("CreateImage", "IncorrectDiskStatus.CreatingSnapshot", 403, ErrorKind.BUSY),
        ("CreateImage", "InvalidImageName.Duplicated", 400, ErrorKind.EXISTS),
        ("CreateImage", "QuotaExceed.Image", 403, ErrorKind.QUOTA),
        ("CreateImage", "InvalidDiskCategory.CreateImage", 400, ErrorKind.REFUSED),
        ("CreateSnapshot", "IncorrectDiskStatus.NeverUsed", 403, ErrorKind.REFUSED),
        ("", "InternalError", 500, ErrorKind.BROKEN),
        ("", "SomethingNew", 503, ErrorKind.BROKEN),
        ("", "SomethingNew", 400, ErrorKind.REFUSED),
        ("RunInstances", "OperationDenied.NoStock", 403, ErrorKind.NO_STOCK),
        ("RunInstances", "InvalidSpotPriceLimit.LowerThanPublicPrice", 400, ErrorKind.PRICE),
        ("RunInstances", "QuotaExceed.ElasticQuota", 403, ErrorKind.PLACE_FULL),
        ("RunInstances", "InvalidVSwitchId.IpNotEnough", 403, ErrorKind.PLACE_FULL),
        ("RunInstances", "QuotaExceed.AfterpayInstance", 400, ErrorKind.QUOTA),
        ("RunInstances", "InsufficientBalance", 403, ErrorKind.MONEY),
        ("RunInstances", "Forbidden.RAM", 403, ErrorKind.DENIED),
        ("RunInstances", "Forbidden.OnlySupportEnterpriseGroup", 403, ErrorKind.PLACE),
        ("RunInstances", "InvalidVSwitchId.NotFound", 404, ErrorKind.PLACE),
        ("RunInstances", "InternalError.AllocateUnderlayIp", 403, ErrorKind.PLACE),
        ("RunInstances", "UnknownError", 400, ErrorKind.BROKEN),
        ("RunInstances", "SystemBusy", 400, ErrorKind.BUSY),
        ("RunInstances", "IdempotentParameterMismatch", 400, ErrorKind.EXISTS),
        ("StartInstance", "OperationDenied.SpotPriceLowerThanPublicPrice", 403, ErrorKind.PRICE),
        ("StartInstance", "InstanceNotReady", 403, ErrorKind.BUSY),
        ("StartInstance", "InstanceNotReady", 500, ErrorKind.BUSY),
        ("StartInstance", "IncorrectInstanceStatus", 403, ErrorKind.BUSY),
        ("AttachDisk", "DiskId.StatusNotSupported", 403, ErrorKind.BUSY),
        ("AttachDisk", "ResourcesNotInSameZone", 403, ErrorKind.REFUSED),
        ("AssociateEipAddress", "IncorrectEipStatus", 400, ErrorKind.BUSY),
    ],
)
def test_codes_mean_what_the_documents_say(action: str, code: str, status: int, kind: ErrorKind) -> None:
    assert kind_of(code, status, action) is kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("The specified Image is disabled or is deleted.", ErrorKind.NOT_READY),
        ("The specified image is not available, please check the status of the image.", ErrorKind.NOT_READY),
        ("The creation of Instance to the specified Zone is not allowed.", ErrorKind.NO_STOCK),
        ("Sales of this resource are temporarily suspended in the specified region.", ErrorKind.NO_STOCK),
        ("The resource is out of usage.", ErrorKind.NO_STOCK),
        ("The specified Zone or cluster does not offer the specified disk category.", ErrorKind.DISK_CATEGORY),
        ("Another Instance has been creating.", ErrorKind.IN_PROCESS),
        ("The user profile is not complete; try complete your basic info.", ErrorKind.MONEY),
        ("The specified snapshot is not allowed to create disk.", ErrorKind.PLACE),
        ("", ErrorKind.PLACE),
    ],
)
def test_a_bare_denial_of_a_launch_is_told_apart_by_its_message(message: str, kind: ErrorKind) -> None:
    assert kind_of("OperationDenied", 403, "RunInstances", message) is kind
