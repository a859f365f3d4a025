"""Conflicts are told in one way, whoever notices them."""

import pytest

from embctl.conflicts import port_taken
from embctl.model import PortOwner


@pytest.mark.parametrize(
    ("owner", "who", "details"),
    [
        (
            PortOwner(port=4000, kind="process", name="node", pid=4711),
            "process node (pid 4711)",
            {"kind": "process", "name": "node", "pid": 4711},
        ),
        (
            PortOwner(port=4000, kind="container", name="other"),
            "container other",
            {"kind": "container", "name": "other", "pid": None},
        ),
        (None, "somebody else", None),
    ],
)
def test_a_taken_port_is_told_with_its_service_and_its_owner(
    owner: PortOwner | None, who: str, details: dict[str, object] | None
) -> None:
    error = port_taken("jina", 4000, owner)
    assert error.message == f"Port 4000, which jina needs, is taken by {who}."
    assert error.details == {"service": "jina", "port": 4000, "owner": details}
    assert any("EMBCTL_JINA_PORT" in action for action in error.actions)


def test_only_a_conflict_that_showed_before_the_first_change_says_that_nothing_was_created() -> None:
    assert "Nothing was created." in port_taken("jina", 4000, None, nothing_created=True).message
    assert "created" not in port_taken("jina", 4000, None).message
