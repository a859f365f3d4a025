"""What can be read, where everything stands, and what is refused at which place."""

import json

import pytest

from embctl.jsonc import Node, NotJsonc, comments, read, value

MARK = "\ufeff"


def root(text: str, depth: int = 3) -> Node:
    node = read(text, depth=depth)
    assert node is not None
    return node


def written(text: str, node: Node) -> str:
    return text[node.start : node.end]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{}", "object"),
        ("[ ]", "array"),
        ('"a"', "scalar"),
        ("-0.5e+10", "scalar"),
        ("true", "scalar"),
        ("null // nothing", "scalar"),
    ],
)
def test_any_value_may_be_the_root(text: str, kind: str) -> None:
    assert root(text).kind == kind


@pytest.mark.parametrize("text", ["", " ", "\r\n\t\n", MARK, "// only\n", "// only", "/* a */ /**/", f"{MARK}\n/***/"])
def test_blanks_and_comments_alone_hold_no_value(text: str) -> None:
    assert read(text, depth=3) is None


def test_members_and_elements_say_where_they_their_keys_and_their_commas_stand() -> None:
    text = ' {"a" : [1, "x" , ] , "b":null}'
    first, second = root(text).items
    assert (first.key, first.start, first.comma) == ("a", 2, text.index("] ,") + 2)
    assert (second.key, second.start, second.comma) == ("b", text.index('"b"'), None)
    assert written(text, first.value) == '[1, "x" , ]'
    assert [(written(text, item.value), item.comma and text[item.comma]) for item in first.value.items] == [
        ("1", ","),
        ('"x"', ","),
    ]


def test_items_are_kept_only_as_deep_as_asked() -> None:
    text = '{"a": [[1]]}'
    assert root(text, 0).items == ()
    (inner,) = root(text, 2).items[0].value.items
    assert (inner.value.kind, inner.value.items) == ("array", ())
    assert root(text, 3).items[0].value.items[0].value.items != ()


def test_the_last_of_the_members_of_one_key_counts() -> None:
    text = '{"tasks": [], "other": 0, "tasks": [1]}'
    member = root(text).member("tasks")
    assert member is not None
    assert written(text, member.value) == "[1]"


def test_a_key_that_is_missing_has_no_member() -> None:
    assert root('{"a": {"tasks": []}}').member("tasks") is None


def test_a_key_is_known_by_what_its_escapes_mean() -> None:
    assert root(r'{"\u0074as\u006bs": []}').member("tasks") is not None


@pytest.mark.parametrize(
    "text",
    [
        "/*a*/[/*b*/1/*c*/,/*d*/2/*e*/]/*f*/",
        "//a\n[//b\n1//c\n,//d\n2//e\n]//f",
        "[1,2,//, 3\n/* ] */]",
        "[1,/***/2/**//**/]",
        "[1,2/*\r\n*/,// \u2028 goes on\r]",
    ],
)
def test_comments_may_stand_everywhere(text: str) -> None:
    assert [written(text, item.value) for item in root(text).items] == ["1", "2"]
    assert value(text) == [1, 2]


@pytest.mark.parametrize("text", ["[1,]", '{"a": 1,}', '{"a": [{"b": 1,},], // c\n}'])
def test_a_comma_may_stand_behind_the_last_item(text: str) -> None:
    assert root(text).items[-1].comma is not None
    value(text)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_line_break_ends_a_comment_and_counts_as_one_line(newline: str) -> None:
    text = newline.join(["// a", "[1, // b", "2]"])
    assert value(text) == [1, 2]
    with pytest.raises(NotJsonc) as refused:
        read(newline.join(["// a", "", "  [1 2]"]), depth=1)
    assert (refused.value.line, refused.value.column) == (3, 6)


def test_a_byte_order_mark_may_begin_the_file_and_has_no_column() -> None:
    assert root(f"{MARK}[1]").start == 1
    with pytest.raises(NotJsonc) as refused:
        read(f"{MARK}]", depth=1)
    assert (refused.value.line, refused.value.column) == (1, 1)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[1 2]", "1:4: 2 stands where a comma or ] should be"),
        ("[1,,2]", "1:4: , stands where a value or ] should be"),
        ("[,]", "1:2: , stands where a value or ] should be"),
        ("{,}", "1:2: , stands where a key with its colon or } should be"),
        ('{"a" 1}', '1:2: " stands where a key with its colon or } should be'),
        ('{"a":}', "1:6: } stands where a value should be"),
        ('{"a":,}', "1:6: , stands where a value should be"),
        ('{"a":1 "b":2}', "1:11: : stands where a comma or } should be"),
        ("{1:2}", "1:2: 1 stands where a key with its colon or } should be"),
        ('["a":1]', "1:5: : stands where a value or ] should be"),
        ('"a":1', "1:4: : stands where a value should be"),
        ("[}", "1:2: } stands where a value or ] should be"),
        ("{]", "1:2: ] stands where a key with its colon or } should be"),
        (",", "1:1: , stands where a value should be"),
        ("{}{}", "1:3: something follows the value that should be all"),
        ("[],", "1:3: something follows the value that should be all"),
        ('[]\n"a":1', "2:4: something follows the value that should be all"),
        ("[\n  {\n", "3:1: the object that begins at 2:3 does not end"),
        ("\n [", "2:3: the array that begins at 2:2 does not end"),
        ("[] /* a", "1:4: a comment does not end"),
        ("[] /*/", "1:4: a comment does not end"),
        ("[]\n/ a", "2:1: '/' is not expected here"),
        ("[01]", "1:2: '0' is not expected here"),
        ("[1.]", "1:2: '1' is not expected here"),
        ("[.5]", "1:2: '.' is not expected here"),
        ("[+1]", "1:2: '+' is not expected here"),
        ("[NaN]", "1:2: 'N' is not expected here"),
        ("[truely]", "1:2: 't' is not expected here"),
        ("{'a': 1}", '1:2: "\'" is not expected here'),
        ("{a: 1}", "1:2: 'a' is not expected here"),
        ("[1\xa0]", r"1:3: '\xa0' is not expected here"),
        ("[1]\x00", r"1:4: '\x00' is not expected here"),
        (f"[{MARK}1]", r"1:2: '\ufeff' is not expected here"),
    ],
)
def test_anything_else_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(NotJsonc) as refused:
        read(text, depth=3)
    assert str(refused.value) == place


@pytest.mark.parametrize("string", ['"a', '"a\n"', r'"\x"', r'"\u12g4"', '"\t"', '"\\', '"\x00"'])
def test_a_string_that_is_not_valid_is_refused_where_it_begins(string: str) -> None:
    with pytest.raises(NotJsonc, match=r"^2:2: the string is not valid"):
        read(f"[\n {string}]", depth=1)


def test_a_depth_of_a_hundred_thousand_is_read() -> None:
    deep = 100_000
    text = '{"a":[' * deep + "]}" * deep
    assert root(text, 2).end == len(text)


def test_a_depth_of_a_hundred_thousand_is_refused_where_it_is_wrong() -> None:
    with pytest.raises(NotJsonc, match=r"^1:100001: \} stands where a value or \] should be"):
        read("[" * 100_000 + "}", depth=1)


@pytest.mark.parametrize("newline", ["\n", ""])
def test_ten_megabytes_are_read(newline: str) -> None:
    one = f'{{"label": "build", "args": [1, "{"x" * 900}"]}}, /* one */{newline}'
    count = 10_000_000 // len(one)
    assert len(root(f"[{one * count}]").items) == count


@pytest.mark.parametrize("middle", [" " * 10_000_000, "/*" + "*" * 10_000_000 + "*/", '"' + "\\\\" * 5_000_000 + '"'])
def test_one_piece_of_ten_megabytes_is_read(middle: str) -> None:
    assert root(f"[{middle}]").end == len(middle) + 2


def test_the_value_is_what_the_escapes_commas_and_comments_mean() -> None:
    text = r'/* c */ {"a\u0062\n": [1, -2.5e1, "// \ud83d\ude00",], "x": {"y": null,}, "x": true} // end'
    assert value(text) == {"ab\n": [1, -25.0, "// \N{GRINNING FACE}"], "x": True}


def test_a_number_of_any_length_is_a_float() -> None:
    assert value("[1]") == [1.0]
    assert value("9" * 10_000) == float("inf")


def test_the_value_of_what_is_nested_beyond_pythons_own_depth_is_an_error_of_its_name() -> None:
    with pytest.raises(RecursionError):
        value("[" * 100_000 + "]" * 100_000)


def test_comments_are_told_from_strings_that_look_like_them() -> None:
    text = '// a\r{"/* b */": "// c", /* "d" */ "e\\"/*": 1} // f'
    assert [text[start:end] for start, end in comments(text, 0, len(text))] == ["// a", '/* "d" */', "// f"]


def test_a_plain_json_file_has_the_value_that_python_reads() -> None:
    text = json.dumps({"a": [1.5, True, None, "ü\n", {"b": {}}]}, indent=2)
    assert value(text) == json.loads(text)
