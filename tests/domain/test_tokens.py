"""Tokens and names outlive a version: a recovery that is resumed after an upgrade must say the same ones."""

from spottui.domain.tokens import client_token, image_name

ID = "cn-hangzhou.i-bp1.1763812800"


def test_tokens_are_for_ever() -> None:
    assert client_token(ID, "CreateImage") == "22f1200de2235eaf255393537173ba8c20c8a9ecbe2d9f35"
    assert client_token(ID, "CreateImage") == client_token(ID, "CreateImage", 0)
    assert client_token(ID, "RunInstances", 2) == "71bcc04592f9f360caa248e3992b28936f69daf6b268e7ee"


def test_names_are_for_ever_and_as_long_as_the_api_takes() -> None:
    assert image_name("cn-hangzhou.i-bp1_x.1") == "spottui-cn-hangzhou-i-bp1_x-1"
    assert image_name("id.é.٣") == "spottui-id----"
    assert image_name("x" * 200) == "spottui-" + "x" * 120
