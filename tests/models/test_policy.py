"""Policy: unknown is denied, a denial outweighs every permission, and each decision names its rule and its fact."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.policy import main
from deploy.settings import ROOT
from models.approval import WorkKind
from models.policy import Condition, Effect, Facts, Mark, Obligations, Policy, Risk, Rule, decide, mentions
from models.policy_text import PolicyRejected, read_policy

HOUSE_FILE = ROOT / "deploy" / "policies" / "house.yaml"
HOUSE, SHA256 = read_policy(HOUSE_FILE.read_text())


def facts(**changes: Any) -> Facts:
    stated = {"channel": "internal", "audience": "employees", "risk": "low", "language": "en", "engines": ("kokoro",)}
    return Facts.model_validate({**stated, **changes})


def test_what_stays_inside_is_allowed_under_the_obligations_of_its_rule() -> None:
    decision = decide(HOUSE, SHA256, facts(text="Good morning."))
    assert decision.allowed and decision.policy == SHA256
    assert decision.obligations == Obligations(approvals=1, roles=("reviewer",), marks=(Mark.AUDIO, Mark.VIDEO))
    assert [finding.rule for finding in decision.findings] == ["inside"]
    assert "channel internal" in decision.findings[0].fact


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"channel": "billboard"}, "channel billboard"),
        ({"audience": "martians"}, "audience martians"),
        ({"language": "tlh"}, "language tlh"),
        ({"engines": ("kokoro", "deepvoice")}, "engine deepvoice"),
    ],
)
def test_what_the_policy_has_no_word_for_is_denied_by_name(changes: dict[str, Any], named: str) -> None:
    decision = decide(HOUSE, SHA256, facts(**changes))
    assert not decision.allowed
    assert any(finding.effect is Effect.UNKNOWN and finding.fact == named for finding in decision.refusals)
    assert decision.obligations == Obligations()


def test_what_no_rule_allows_is_denied_though_no_rule_denies_it() -> None:
    decision = decide(HOUSE, SHA256, facts(kind=WorkKind.TRACK, channel="internal", audience="public"))
    assert [finding.why for finding in decision.refusals] == ["No rule allows it."]


def test_a_denial_outweighs_a_permission_and_both_are_named() -> None:
    decision = decide(HOUSE, SHA256, facts(text="There will be layoffs in May."))
    assert not decision.allowed
    assert {finding.rule: finding.effect for finding in decision.findings} == {
        "inside": Effect.ALLOW,
        "people-matters-in-person": Effect.DENY,
    }
    assert "“layoffs”" in decision.refusals[0].fact


@pytest.mark.parametrize(
    "text",
    [
        "It is RISK-FREE.",
        "It is risk free.",
        "It is risk\u00adfree.",
        "It is risk-\u200bfree.",
        "It is ｒｉｓｋ－ｆｒｅｅ.",
        "It is risk\n   free.",
        "It is rísk-free.",
    ],
)
def test_a_blocked_phrase_is_found_however_it_is_written(text: str) -> None:
    decision = decide(HOUSE, SHA256, facts(channel="public", audience="public", text=text))
    assert [finding.rule for finding in decision.refusals] == ["no-promises"]


def test_a_phrase_is_whole_words() -> None:
    assert mentions("The marginal profits of brisk freedom", ["margin", "profit", "risk free"]) == []
    assert mentions("Margin, and profit.", ["margin", "profit"]) == ["margin", "profit"]


def test_a_required_phrase_that_is_not_said_denies() -> None:
    text = HOUSE_FILE.read_text().replace(
        "required: []",
        "required:\n  - {id: says-so, when: {channel: [public]}, phrases: [this is synthetic], why: People are told.}",
    )
    policy, sha256 = read_policy(text)
    public = {"channel": "public", "audience": "public"}
    assert [each.rule for each in decide(policy, sha256, facts(**public, text="Hello.")).refusals] == ["says-so"]
    assert decide(policy, sha256, facts(**public, text="Hello. This is synthetic.")).allowed
    assert decide(policy, sha256, facts(text="Hello.")).allowed


RULES = st.builds(
    Rule,
    id=st.uuids().map(lambda uuid: f"r{uuid.hex[:12]}"),
    when=st.builds(
        Condition,
        channel=st.lists(st.sampled_from(HOUSE.channels), unique=True, max_size=2).map(tuple),
        risk=st.lists(st.sampled_from(list(Risk)), unique=True, max_size=2).map(tuple),
        topic=st.lists(st.sampled_from(sorted(HOUSE.topics)), unique=True, max_size=1).map(tuple),
        autopilot=st.none() | st.booleans(),
    ),
    decision=st.sampled_from([Effect.ALLOW, Effect.DENY]),
    why=st.just("because"),
)
FACTS = st.builds(
    facts,
    channel=st.sampled_from([*HOUSE.channels, "elsewhere"]),
    risk=st.sampled_from(list(Risk)),
    autopilot=st.booleans(),
    text=st.sampled_from(["", "our profit", "our outlook and layoffs"]),
)


@given(st.lists(RULES, min_size=1, max_size=6, unique_by=lambda rule: rule.id), FACTS)
def test_allowed_means_that_a_rule_allows_it_and_none_denies_it(rules: list[Rule], stated: Facts) -> None:
    policy = Policy.model_validate({**HOUSE.model_dump(), "rules": rules, "blocked": ()})
    decision = decide(policy, SHA256, stated)
    effects = {finding.effect for finding in decision.findings}
    assert decision.allowed == (effects == {Effect.ALLOW})
    assert stated.channel in policy.channels or not decision.allowed


@given(st.lists(RULES, min_size=1, max_size=5, unique_by=lambda rule: rule.id), RULES, FACTS)
def test_one_more_denial_never_allows_more(rules: list[Rule], more: Rule, stated: Facts) -> None:
    denial = more.model_copy(update={"decision": Effect.DENY, "id": "one-more"})
    fewer = Policy.model_validate({**HOUSE.model_dump(), "rules": rules, "blocked": ()})
    further = Policy.model_validate({**HOUSE.model_dump(), "rules": [*rules, denial], "blocked": ()})
    assert decide(fewer, SHA256, stated).allowed >= decide(further, SHA256, stated).allowed


def test_joined_obligations_are_the_strictest_of_both() -> None:
    one = Obligations(approvals=2, roles=("legal",), disclosure="Synthetic", expires_days=30)
    other = Obligations(approvals=1, roles=("reviewer",), marks=(Mark.VIDEO,), expires_days=90)
    strictest = Obligations(
        approvals=2, roles=("legal", "reviewer"), disclosure="Synthetic", marks=(Mark.VIDEO,), expires_days=30
    )
    assert one.joined(other) == other.joined(one) == strictest


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("decision: deny", "decision: forbid", "line 66, rules.3.decision"),
        ('version: "1"', 'version: "1"\nversion: "2"', "line 4: found duplicate key"),
        (
            "channel: [public], risk: [high]",
            "channel: [publik], risk: [high]",
            "no-high-risk-outside: channel 'publik'",
        ),
        ("id: outside\n", "id: inside\n", "used twice: inside"),
        ("rules:", "rules: [", "line "),
        ("why: Songs of", "wy: Songs of", "rules.5.why: Field required"),
        ('version: "1"', "version: !!python/object/apply:os.getcwd []", "version"),
    ],
)
def test_a_file_that_is_no_policy_is_refused_with_its_place(
    old: str, new: str, where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = HOUSE_FILE.read_text()
    assert old in text
    with pytest.raises(PolicyRejected) as refused:
        read_policy(text.replace(old, new, 1))
    assert where in refused.value.message
    file = tmp_path / "bad.yaml"
    file.write_text(text.replace(old, new, 1))
    assert main(["check", str(file)]) == 2
    assert where in capsys.readouterr().err


def test_the_house_policy_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(HOUSE_FILE)]) == 0
    assert SHA256 in capsys.readouterr().out
