"""Compare the profiles of environments that must be alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from bot.domain.parity.model import Comparison, Difference, Profile, Side, Trait, Unused, joined
from bot.domain.policy import ParityGroup

_WORDS = {
    "var": "variables",
    "secret": "secrets",
    "provider": "providers",
    "module": "modules",
    "policy": "settings",
    "resource": "resources",
}


def compare_profiles(stack: str, group: ParityGroup, profiles: Sequence[Profile]) -> Comparison:
    """Compare the environments of one group. Each is compared by what is known of it and of at least one other."""
    names = dict.fromkeys(what for profile in profiles for what in profile.by_name)
    differences, compared = [], 0
    for what in names:
        known = [profile for profile in profiles if profile.knows(what)]
        if len(known) < 2:
            continue
        compared += 1
        if found := _difference(what, known, group):
            differences.append(found)
    environments = tuple(profile.environment for profile in profiles)
    return Comparison(stack, environments, tuple(differences), compared, tuple(_gaps(profiles)))


def _gaps(profiles: Sequence[Profile]) -> Iterator[str]:
    """Yield what could not be compared, with the environments that have the same gap for the same reason together."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for profile in profiles:
        for why, aspects in profile.gaps.items():
            found.setdefault((why, aspects), []).append(profile.environment)
    for (why, aspects), environments in found.items():
        yield f"{joined(_WORDS.get(one, one) for one in aspects)} of {joined(environments)} ({why})"


def _difference(what: str, profiles: Sequence[Profile], group: ParityGroup) -> Difference | None:
    traits = {profile.environment: profile.by_name.get(what) for profile in profiles}
    kind = _kind(traits)
    if kind is None:
        return None
    allowed = group.allowed(what)
    return Difference(what, kind, _sides(traits), allowed.reason if allowed else "")


def _kind(traits: Mapping[str, Trait | None]) -> Literal["missing", "type", "value"] | None:
    """Return how traits differ, None if they are alike. Values that differ only by the environments' own names are."""
    found = {environment: trait for environment, trait in traits.items() if trait is not None}
    if len(found) < len(traits):
        return "missing"
    if len({trait.kind for trait in found.values()}) > 1:
        return "type"
    own = {_without_name(trait.value, environment) for environment, trait in found.items()}
    return "value" if len(own) > 1 and len({trait.value for trait in found.values()}) > 1 else None


def _without_name(value: str, environment: str) -> str:
    """`staging.example.com` → `{env}.example.com`, in any case, as a word of its own."""
    return re.sub(
        rf"(?<![A-Za-z0-9]){re.escape(environment)}(?![A-Za-z0-9])", "{env}", value, flags=re.IGNORECASE
    )


def _sides(traits: Mapping[str, Trait | None]) -> tuple[Side, ...]:
    """Return one side for each value, with the environments that have it. The place is that of the first."""
    sides: dict[tuple[str, str] | None, list[str]] = {}
    for environment, trait in traits.items():
        sides.setdefault((trait.kind, trait.value) if trait else None, []).append(environment)
    return tuple(_side(tuple(names), traits[names[0]]) for names in sides.values())


def _side(environments: tuple[str, ...], trait: Trait | None) -> Side:
    if trait is None:
        return Side(environments, None)
    return Side(environments, trait.value, trait.kind, trait.place, trait.hidden)


def unused_declarations(
    groups: Iterable[ParityGroup], comparisons: Sequence[Comparison], unknown: Iterable[str] = ()
) -> tuple[Unused, ...]:
    """Return declared differences that no stack has.

    unknown: the first parts of names that could not be compared somewhere, of which nothing can be said.
    """
    aspects = set(unknown)
    return tuple(
        Unused(group.environments, one.what)
        for group in groups
        for one in group.differences
        if one.what.partition(".")[0] not in aspects and not _used(one.what, group, comparisons)
    )


def _used(what: str, group: ParityGroup, comparisons: Sequence[Comparison]) -> bool:
    """Whether the first declaration that covers some difference of the group is this one."""
    return any(
        (allowed := group.allowed(difference.what)) is not None and allowed.what == what
        for comparison in comparisons
        if set(comparison.environments) <= set(group.environments)
        for difference in comparison.differences
    )
