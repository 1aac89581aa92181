"""What the bot writes down on a way back, in its order: the points at which tests kill it."""

from __future__ import annotations

from tests.story.kills import Point

PLANNED: list[Point] = [
    ("before", r"INSERT INTO runs .*'plan'"),
    ("after", r"INSERT INTO runs .*'plan'"),  # nobody was answered yet
    ("after", r"UPDATE runs SET phase=.*'planning'"),
    ("before", r"INSERT INTO plans "),
    ("after", r"INSERT INTO plans "),  # nobody was shown it yet
    ("before", r"UPDATE surfaces SET id=.*'status:"),  # shown, and not noted so
]
BEGUN: list[Point] = [
    ("before", r"INSERT INTO locks "),
    ("after", r"INSERT INTO locks "),  # claimed, and nothing begun
    ("before", r"UPDATE plans SET status=.*'applying'"),
    ("before", r"UPDATE runs SET phase=.*'recording'"),  # Terraform has ended
    ("before", r"INSERT INTO releases "),
    ("after", r"INSERT INTO holds "),  # in the transaction of the release
]
PROVEN: list[Point] = [
    ("before", r"UPDATE releases SET verification="),
    ("after", r"UPDATE releases SET verification="),  # the proof is next
    ("before", r"UPDATE runs SET phase=.*'applied'"),
    ("after", r"UPDATE runs SET phase=.*'applied'"),  # nobody was told yet
    ("before", r"UPDATE surfaces SET id=.*'status:"),
]
LOOKED: list[Point] = [
    ("before", r"INSERT INTO runs .*'drift'"),
    ("after", r"INSERT INTO runs .*'drift'"),
    ("after", r"UPDATE runs SET phase=.*'planning'"),
    ("before", r"UPDATE runs SET phase=.*'checked'"),
    ("after", r"UPDATE runs SET phase=.*'checked'"),
]
LIFTED: list[Point] = [("before", r"DELETE FROM holds "), ("after", r"DELETE FROM holds ")]
REWOUND: list[Point] = [
    ("before", r"INSERT INTO locks "),
    ("after", r"INSERT INTO locks "),  # claimed
    ("after", r"INSERT INTO state_locks "),
    ("after", r"INSERT INTO states "),  # written, and the state's lock is held
    ("before", r"INSERT INTO audit .*'state.rewound'"),
    ("after", r"INSERT INTO audit .*'state.rewound'"),
    ("after", r"INSERT INTO runs .*'plan'"),
    ("after", r"INSERT INTO plans "),
]
ACCEPTED: list[Point] = [("before", r"DELETE FROM locks "), ("after", r"DELETE FROM locks ")]
