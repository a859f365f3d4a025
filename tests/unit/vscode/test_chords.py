"""Which keybindings mean the same keys."""

import pytest

from embctl.vscode.chords import normalised


@pytest.mark.parametrize(
    "key",
    [
        "ctrl+shift+9",
        "shift+ctrl+9",
        "Ctrl-Shift-9",
        "CTRL+SHIFT+[Digit9]",
        "ctrl-shift+[digit9]",
        "  ctrl+shift+9 ",
        "ctrl+ctrl+shift+9",
    ],
)
def test_the_order_the_case_the_sign_and_the_scan_code_do_not_matter(key: str) -> None:
    assert normalised(key) == normalised("ctrl+shift+9")


@pytest.mark.parametrize("key", ["cmd+k", "win+k", "meta+k", "Meta-[KeyK]"])
def test_the_key_with_many_names_is_one_modifier(key: str) -> None:
    assert normalised(key) == normalised("cmd+k")


@pytest.mark.parametrize("key", ["ctrl+shift+=", "ctrl+shift+[Equal]", "shift-ctrl-=", "ctrl+shift+oem_plus"])
def test_the_equals_sign_is_one_key(key: str) -> None:
    assert normalised(key) == normalised("ctrl+shift+=")


@pytest.mark.parametrize("key", ["ctrl+shift+-", "ctrl-shift--", "ctrl+shift+[Minus]", "shift+ctrl+OEM_MINUS"])
def test_the_minus_is_a_key_though_it_joins_modifiers_too(key: str) -> None:
    assert normalised(key) == normalised("ctrl+shift+-")


@pytest.mark.parametrize("key", ["ctrl+k ctrl+c", "ctrl+k   9", "[KeyK]"])
def test_a_sequence_counts_by_its_first_chord(key: str) -> None:
    assert normalised(key).split("+")[-1] == "k"


@pytest.mark.parametrize(
    "other",
    [
        "ctrl+9",
        "shift+9",
        "ctrl+shift+alt+9",
        "cmd+shift+9",
        "ctrl+shift+8",
        "ctrl+shift+numpad9",
        "ctrl+shift+[Numpad9]",
        "ctrl+shift+f9",
    ],
)
def test_other_keys_and_other_modifiers_are_other_chords(other: str) -> None:
    assert normalised(other) != normalised("ctrl+shift+9")


@pytest.mark.parametrize("key", ["", " ", "+", "ctrl+", "shift", "ctrl+[", "[]", "[Digit99]", "ü"])
def test_what_names_no_key_is_no_chord_of_anybody(key: str) -> None:
    assert normalised(key) not in {normalised("ctrl+shift+9"), normalised("ctrl+shift+-"), normalised("ctrl+shift+=")}
