"""Packages that are imported when they are first used: nobody notices, but for the memory."""

import subprocess
import sys

_PACKAGE = {
    "heavy/__init__.py": "VALUE = 1\nclass Thing: pass\ndef make(): return Thing()\n",
    "heavy/part.py": "def add(a, b): return a + b\n",
    "user.py": "from typing import Optional, Union\nimport heavy\nfrom heavy import Thing, make, part\n"
    "from heavy.part import add\n"
    "def held(thing: Optional[Thing], other: Union[int, heavy.Thing], more: 'list' = None) -> 'Thing | None': ...\n"
    "def is_thing(value): return isinstance(value, Thing)\n",
}


def _run(tmp_path, body: str) -> str:
    for name, text in _PACKAGE.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    start = "import sys\nfrom spottui.cloud.late_imports import imported_on_use\n"
    ran = subprocess.run(
        [sys.executable, "-c", start + body], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert not ran.stderr
    return ran.stdout


def test_nothing_is_imported_until_something_is_used(tmp_path):
    body = (
        "with imported_on_use('heavy'):\n    import user\n"
        "print('heavy' in sys.modules, user.is_thing(1), 'heavy' in sys.modules)\n"
        "print(user.add(1, 2), 'heavy' in sys.modules, user.is_thing(user.make()))"
    )
    assert _run(tmp_path, body) == "False False False\n3 True True\n"


def test_who_imports_it_afterwards_gets_it_itself(tmp_path):
    body = (
        "with imported_on_use('heavy'):\n    import user\nimport heavy\nclass Mine(user.Thing): pass\n"
        "print(heavy.VALUE, Mine.__mro__[1] is heavy.Thing, user.part.add(1, 1))"
    )
    assert _run(tmp_path, body) == "1 True 2\n"


def test_what_is_used_while_it_is_imported_is_there_at_once(tmp_path):
    body = "with imported_on_use('heavy'):\n    import user\n    print(user.add(1, 2), user.is_thing(user.make()))"
    assert _run(tmp_path, body) == "3 True\n"


def test_what_is_there_already_stays_what_it_is(tmp_path):
    body = "import heavy\nwith imported_on_use('heavy'):\n    import user\nprint(user.Thing is heavy.Thing)"
    assert _run(tmp_path, body) == "True\n"


def test_the_version_of_what_is_not_imported_is_known_from_its_metadata(tmp_path):
    body = (
        "with imported_on_use('msgspec'):\n    from msgspec import __version__\n"
        "print('msgspec' in sys.modules)\nimport msgspec\nprint(__version__ == msgspec.__version__)"
    )
    assert _run(tmp_path, body) == "False\nTrue\n"


def test_the_console_s_rooms_bring_none_of_it():
    client = "alibabacloud_ecs20140526.client"
    guess = "charset_normalizer"
    unused = ("aiohttp", client, "apscheduler", guess, "cryptography", "psycopg", "sqlalchemy.orm", "websocket")
    body = f"import sys, spottui.cli.rooms; print([name for name in {unused!r} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", body], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
