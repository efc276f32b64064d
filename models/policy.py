"""Policy: what may be made and let out, for whom, and under which obligations. It is data, evaluated purely over stated
facts; **what it does not know it denies**, and every decision names the rule and the fact."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from models.approval import WorkKind
from models.base import Contract, LanguageTag, Note, Sha256, Slug

Phrase = Annotated[str, Field(min_length=2, max_length=120)]
Phrases = Annotated[tuple[Phrase, ...], Field(min_length=1, max_length=500)]
Slugs = Annotated[tuple[Slug, ...], Field(max_length=100)]
RuleId = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?$")]


class Risk(StrEnum):
    """How much harm a persona could do in the wrong words: whom they stand for, not who they are."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Mark(StrEnum):
    """What a released file has to carry."""

    VIDEO = "video"
    AUDIO = "audio"


class Effect(StrEnum):
    """What a rule says, or what followed from none saying anything."""

    ALLOW = "allow"
    DENY = "deny"
    UNKNOWN = "unknown"
    """The policy has no word for a fact: denied."""


class Facts(Contract):
    """All that a decision may depend on. ``text`` is what is said or sung, whole."""

    kind: WorkKind = WorkKind.RENDER
    channel: Slug
    audience: Slug
    risk: Risk
    language: LanguageTag
    engines: Annotated[tuple[Slug, ...], Field(max_length=40)] = ()
    autopilot: bool = False
    text: Annotated[str, Field(max_length=60_000)] = ""


class Condition(Contract):
    """When a rule speaks. What is left out holds for all; of a list, one is enough; all that is stated must hold."""

    kind: Annotated[tuple[WorkKind, ...], Field(max_length=2)] = ()
    channel: Slugs = ()
    audience: Slugs = ()
    risk: Annotated[tuple[Risk, ...], Field(max_length=3)] = ()
    language: Annotated[tuple[LanguageTag, ...], Field(max_length=50)] = ()
    engine: Slugs = ()
    topic: Slugs = ()
    claim: Slugs = ()
    person: Annotated[tuple[Phrase, ...], Field(max_length=500)] = ()
    autopilot: bool | None = None


class Obligations(Contract):
    """What an allowed work still owes. Several rules' obligations are joined to the strictest."""

    approvals: Annotated[int, Field(ge=0, le=5)] = 0
    roles: Slugs = ()
    """Each of these has to be among those who approve."""
    disclosure: Annotated[str, Field(max_length=200)] = ""
    """The caption that says that what is seen or heard is synthetic."""
    marks: Annotated[tuple[Mark, ...], Field(max_length=2)] = ()
    expires_days: Annotated[int, Field(ge=1, le=3_660)] | None = None
    """After so many days a release is taken down."""

    def joined(self, other: "Obligations") -> "Obligations":
        """The strictest of both."""
        ends = [days for days in (self.expires_days, other.expires_days) if days is not None]
        captions = dict.fromkeys(caption for caption in (self.disclosure, other.disclosure) if caption)
        return Obligations(
            approvals=max(self.approvals, other.approvals),
            roles=tuple(sorted({*self.roles, *other.roles})),
            disclosure=" · ".join(captions)[:200],
            marks=tuple(sorted({*self.marks, *other.marks})),
            expires_days=min(ends) if ends else None,
        )


class Clause(Contract):
    """What every part of a policy has: a name, when it speaks, and its reason for people."""

    id: RuleId
    when: Condition = Condition()
    why: Note


class Rule(Clause):
    """One rule. A denial that speaks outweighs every permission."""

    decision: Literal[Effect.ALLOW, Effect.DENY]
    obligations: Obligations = Obligations()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.decision is Effect.DENY and self.obligations != Obligations():
            raise ValueError("a rule that denies has no obligations")
        return self


class Required(Clause):
    """One of ``phrases`` has to be said."""

    phrases: Phrases


class Blocked(Clause):
    """None of ``phrases`` may be said."""

    phrases: Phrases


class Policy(Contract):
    """A version of the house's policy. What ``known`` lists do not name is denied wherever it turns up."""

    version: Annotated[str, Field(min_length=1, max_length=60)]
    channels: Slugs
    audiences: Slugs
    languages: Annotated[tuple[LanguageTag, ...], Field(max_length=50)]
    engines: Slugs
    topics: Annotated[dict[Slug, Phrases], Field(default_factory=dict, max_length=100)]
    claims: Annotated[dict[Slug, Phrases], Field(default_factory=dict, max_length=100)]
    people: Annotated[tuple[Phrase, ...], Field(max_length=2_000)] = ()
    blocked: Annotated[tuple[Blocked, ...], Field(max_length=200)] = ()
    required: Annotated[tuple[Required, ...], Field(max_length=200)] = ()
    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _names_what_it_knows(self) -> Self:
        clauses: tuple[Clause, ...] = (*self.rules, *self.blocked, *self.required)
        ids = [clause.id for clause in clauses]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"used twice: {', '.join(twice)}")
        for clause in clauses:
            for name, value in _strangers(self, clause.when):
                raise ValueError(f"{clause.id}: {name} {value!r} is not among the known ones")
        return self


class Finding(Contract):
    """Why: which rule (or none), which fact, what follows."""

    rule: Annotated[str, Field(max_length=64)] = ""
    effect: Effect
    fact: Note
    why: Note = ""


class PolicyDecision(Contract):
    """What a policy says of a work, and why. ``policy`` is the sha256 of the file it was read from."""

    allowed: bool
    version: Annotated[str, Field(max_length=60)]
    policy: Sha256
    obligations: Obligations = Obligations()
    findings: Annotated[tuple[Finding, ...], Field(max_length=1_000)]

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """What stands against it."""
        return tuple(finding for finding in self.findings if finding.effect is not Effect.ALLOW)


def decide(policy: Policy, sha256: str, facts: Facts) -> PolicyDecision:
    """What ``policy`` (read from the file with this ``sha256``) says of ``facts``."""
    said = _Said(policy, facts)
    findings = [*_unknown(policy, facts), *said.content()]
    obligations = Obligations()
    allowing = False
    for rule in policy.rules:
        fact = said.fact(rule.when)
        if fact is None:
            continue
        findings.append(Finding(rule=rule.id, effect=rule.decision, fact=fact, why=rule.why))
        if rule.decision is Effect.ALLOW:
            allowing, obligations = True, obligations.joined(rule.obligations)
    if not allowing:
        stated = f"channel {facts.channel}, audience {facts.audience}, risk {facts.risk}, language {facts.language}"
        findings.append(Finding(effect=Effect.UNKNOWN, fact=stated, why="No rule allows it."))
    allowed = all(finding.effect is Effect.ALLOW for finding in findings)
    return PolicyDecision(
        allowed=allowed,
        version=policy.version,
        policy=sha256,
        obligations=obligations if allowed else Obligations(),
        findings=tuple(findings),
    )


_UNSEEN = {"Mn", "Cf", "Cc"}
"""Combining marks, formats such as zero-width spaces, controls."""


def plain(text: str) -> str:
    """``text`` as it is compared: compatibility forms folded, case folded, nothing invisible, no accents."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    seen = "".join(sign for sign in decomposed if sign.isspace() or unicodedata.category(sign) not in _UNSEEN)
    return unicodedata.normalize("NFKC", seen)


def mentions(text: str, phrases: Iterable[str]) -> list[str]:
    """Which of ``phrases`` are said in ``text``, as whole words, whatever stands between the words of a phrase."""
    searched = plain(text)
    return [phrase for phrase in phrases if _pattern(phrase).search(searched)]


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    words = re.findall(r"\w+", plain(phrase))
    between = r"[\W_]*"
    return re.compile(rf"(?<!\w){between.join(map(re.escape, words))}(?!\w)" if words else r"(?!)")


def _unknown(policy: Policy, facts: Facts) -> list[Finding]:
    """A finding for each fact that the policy has no word for."""
    stated: Sequence[tuple[str, str, Iterable[str]]] = (
        ("channel", facts.channel, policy.channels),
        ("audience", facts.audience, policy.audiences),
        ("language", facts.language, policy.languages),
        *(("engine", engine, policy.engines) for engine in facts.engines),
    )
    return [
        Finding(effect=Effect.UNKNOWN, fact=f"{name} {value}", why=f"The policy knows no such {name}.")
        for name, value, known in stated
        if value not in known
    ]


def _strangers(policy: Policy, when: Condition) -> Iterable[tuple[str, str]]:
    """What a condition names that the policy does not know, which would make it silent for ever."""
    for name, values, known in (
        ("channel", when.channel, policy.channels),
        ("audience", when.audience, policy.audiences),
        ("language", when.language, policy.languages),
        ("engine", when.engine, policy.engines),
        ("topic", when.topic, policy.topics),
        ("claim", when.claim, policy.claims),
        ("person", when.person, policy.people),
    ):
        yield from ((name, value) for value in values if value not in known)


class _Said:
    """What a text touches, and which conditions hold over it."""

    def __init__(self, policy: Policy, facts: Facts) -> None:
        self._policy = policy
        self._facts = facts
        self._topics = {name: found for name, words in policy.topics.items() if (found := mentions(facts.text, words))}
        self._claims = {name: found for name, words in policy.claims.items() if (found := mentions(facts.text, words))}
        self._people = mentions(facts.text, policy.people)

    def content(self) -> list[Finding]:
        """What is said and may not be, and what is not said and must be."""
        found = []
        for blocked in self._policy.blocked:
            said = mentions(self._facts.text, blocked.phrases)
            if said and self.fact(blocked.when) is not None:
                words = ", ".join(f"“{phrase}”" for phrase in said[:5])
                found.append(Finding(rule=blocked.id, effect=Effect.DENY, fact=f"says {words}", why=blocked.why))
        for required in self._policy.required:
            if self.fact(required.when) is not None and not mentions(self._facts.text, required.phrases):
                fact = f"does not say “{required.phrases[0]}”"
                found.append(Finding(rule=required.id, effect=Effect.DENY, fact=fact, why=required.why))
        return found

    def fact(self, when: Condition) -> str | None:
        """The facts by which ``when`` holds, in words; None when it does not hold."""
        facts, held = self._facts, []
        stated: Sequence[tuple[str, str, Sequence[str]]] = (
            ("kind", facts.kind, when.kind),
            ("channel", facts.channel, when.channel),
            ("audience", facts.audience, when.audience),
            ("risk", facts.risk, when.risk),
            ("language", facts.language, when.language),
        )
        for name, value, wanted in stated:
            if wanted and value not in wanted:
                return None
            if wanted:
                held.append(f"{name} {value}")
        touched: Sequence[tuple[str, Iterable[str], Sequence[str]]] = (
            ("engine", facts.engines, when.engine),
            ("topic", self._topics, when.topic),
            ("claim", self._claims, when.claim),
            ("person", self._people, when.person),
        )
        for name, values, wanted in touched:
            met = [value for value in values if value in wanted]
            if wanted and not met:
                return None
            held += [self._in_words(name, value) for value in met]
        if when.autopilot is not None:
            if when.autopilot is not facts.autopilot:
                return None
            held.append("autopilot" if facts.autopilot else "people decide")
        return ", ".join(held) or "everything"

    def _in_words(self, name: str, value: str) -> str:
        found = {"topic": self._topics, "claim": self._claims}.get(name, {}).get(value)
        return f"{name} {value} (“{found[0]}”)" if found else f"{name} {value}"
