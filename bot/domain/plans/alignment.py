"""Match the equal elements of two sequences, so that an inserted element does not look like a change of all after it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

_DEPTH = 24
"""How often a gap is divided further. Each round takes time in proportion to the length, whatever the content."""

Match = tuple[int, int]


def align(before: Sequence[Hashable], after: Sequence[Hashable]) -> list[Match]:
    """Return the index pairs of equal elements, in ascending order on both sides (a patience diff).

    Elements that occur once on both sides are matched first, then the gaps between them. Takes O(n log n).
    """
    matches: list[Match] = []
    gaps = [(0, len(before), 0, len(after), _DEPTH)]
    while gaps:
        low, high, start, end, depth = gaps.pop()
        while low < high and start < end and before[low] == after[start]:
            matches.append((low, start))
            low, start = low + 1, start + 1
        while low < high and start < end and before[high - 1] == after[end - 1]:
            high, end = high - 1, end - 1
            matches.append((high, end))
        if low == high or start == end or not depth:
            continue
        anchors = [(low + i, start + j) for i, j in _anchors(before[low:high], after[start:end])]
        matches += anchors
        if anchors:
            for i, j in [*anchors, (high, end)]:
                gaps.append((low, i, start, j, depth - 1))
                low, start = i + 1, j + 1
    return sorted(matches)


def gaps(matches: Sequence[Match], before: int, after: int) -> Iterator[tuple[range, range, Match | None]]:
    """Yield what is unmatched before each match, on both sides, then the match; None after the last one.

    before, after: the lengths of both sequences.
    """
    low, start = 0, 0
    for match in [*matches, None]:
        high, end = match or (before, after)
        yield range(low, high), range(start, end), match
        low, start = high + 1, end + 1


def _anchors(before: Sequence[Hashable], after: Sequence[Hashable]) -> list[Match]:
    """Match what is unique on both sides; if nothing is, the first occurrence with the first, the second with the second."""
    left, right = Counter(before), Counter(after)
    unique = {element for element in left if left[element] == right.get(element) == 1}
    places: dict[tuple[Hashable, int], int] = {}
    seen: Counter[Hashable] = Counter()
    for index, element in enumerate(after):
        if not unique or element in unique:
            places[element, seen[element]] = index
            seen[element] += 1
    seen.clear()
    candidates: list[Match] = []
    for index, element in enumerate(before):
        if (place := places.get((element, seen[element]))) is not None:
            candidates.append((index, place))
        seen[element] += 1
    return _ascending(candidates)


def _ascending(candidates: Sequence[Match]) -> list[Match]:
    """Return the longest subsequence that ascends on both sides. The first side ascends already."""
    ends: list[int] = []  # the smallest end of an ascending run, by its length
    at: list[int] = []
    previous: list[int] = []
    for number, (_, place) in enumerate(candidates):
        length = bisect_left(ends, place)
        previous.append(at[length - 1] if length else -1)
        if length == len(ends):
            ends.append(place)
            at.append(number)
        else:
            ends[length], at[length] = place, number
    found: list[Match] = []
    number = at[-1] if at else -1
    while number >= 0:
        found.append(candidates[number])
        number = previous[number]
    return found[::-1]
