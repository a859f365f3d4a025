"""The table of hotkeys is whole and without contradiction."""

import pytest

from embctl.vscode.chords import normalised
from embctl.vscode.hotkeys import HOTKEYS, PREFIX, Hotkey, System, this_system


def hotkey(task: str) -> Hotkey:
    return next(one for one in HOTKEYS if one.task == task)


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("9", "embctl: startall + warmup"),
        ("=", "embctl: restartall"),
        ("-", "embctl: stopall"),
        ("8", "embctl: qdrant restart"),
        ("7", "embctl: jina start + warmup"),
        ("6", "embctl: jina stop"),
        ("0", "embctl: help"),
    ],
)
@pytest.mark.parametrize(("system", "modifier"), [("linux", "ctrl"), ("windows", "ctrl"), ("macos", "cmd")])
def test_every_task_has_its_chord_on_every_system(key: str, label: str, system: str, modifier: str) -> None:
    (found,) = (one for one in HOTKEYS if one.label == label)
    assert found.chords(System(system))[0] == f"{modifier}+shift+{key}"


def test_there_are_seven() -> None:
    assert len(HOTKEYS) == 7


def test_every_label_begins_with_what_ours_are_known_by() -> None:
    assert PREFIX == "embctl: "
    assert all(one.label.startswith(PREFIX) and one.does for one in HOTKEYS)


@pytest.mark.parametrize("system", System)
def test_no_two_tasks_share_a_chord(system: System) -> None:
    chords = [{normalised(chord) for chord in one.chords(system)} for one in HOTKEYS]
    assert len(set.union(*chords)) == sum(map(len, chords))


@pytest.mark.parametrize("system", System)
@pytest.mark.parametrize(("task", "twin"), [("restartall", "[Equal]"), ("stopall", "[Minus]")])
def test_what_some_keyboards_cannot_type_is_named_by_its_place_too(task: str, twin: str, system: System) -> None:
    first, second = hotkey(task).chords(system)
    assert second.endswith(f"+shift+{twin}")
    assert normalised(first) == normalised(second)


@pytest.mark.parametrize(
    ("system", "others"), [(System.WINDOWS, ("ctrl+shift+alt+0",)), (System.LINUX, ()), (System.MACOS, ())]
)
def test_help_has_a_second_chord_where_windows_keeps_the_first(system: System, others: tuple[str, ...]) -> None:
    assert hotkey("help").chords(system)[1:] == others


@pytest.mark.parametrize(
    ("platform", "system"), [("linux", "linux"), ("darwin", "macos"), ("win32", "windows"), ("freebsd14", "linux")]
)
def test_the_system_is_that_of_the_platform(platform: str, system: str) -> None:
    assert this_system(platform) is System(system)
