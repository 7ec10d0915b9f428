import pytest
from textual.css import model, stylesheet


@pytest.fixture(autouse=True)
def _same_on_every_terminal(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.fixture(autouse=True, scope="session")
def _style_sheets_are_parsed_once():
    """All consoles have the same ones, and to parse them is much of the start of each."""
    tokens, rules = {}, {}
    parse, tokenize_values = stylesheet.parse, stylesheet.tokenize_values

    def tokenize_once(values):
        key = tuple(values.items())
        if key not in tokens:
            tokens[key] = tokenize_values(values)
        return tokens[key]

    def parse_once(scope, css, read_from, variable_tokens, **more):
        key = (scope, css, read_from, id(variable_tokens), *more.items())
        if key not in rules:
            rules[key] = tuple(parse(scope, css, read_from, variable_tokens=variable_tokens, **more))
        return rules[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stylesheet, "tokenize_values", tokenize_once)
        patched.setattr(stylesheet, "parse", parse_once)
        # By identity too, but not in Python: each widget that is styled asks it of every rule.
        patched.setattr(model.RuleSet, "__hash__", object.__hash__)
        yield
