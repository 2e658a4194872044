"""What is learned of JSON: types, presence, words; and nothing that is anybody's."""

from typing import Any

from upstream.shapes import MEMBER, Shape, forget_chance, learn, merge, vocabulary


def shape_of(*values: Any) -> Shape:
    shape = Shape()
    for value in values:
        learn(shape, value)
    return shape


def test_fields_are_counted_by_type() -> None:
    shape = shape_of({"n": 1, "s": "a"}, {"n": None}, {"n": 2.5})

    assert shape.types == {"object": 3}
    assert shape.fields["n"].types == {"number": 2, "null": 1}
    assert shape.fields["s"].seen == 1


def test_items_of_lists_are_one_place() -> None:
    shape = shape_of([{"a": 1}, {"a": 2}], [])

    assert shape.items is not None
    assert shape.items.types == {"object": 2}
    assert shape.items.fields["a"].seen == 2


def test_an_object_that_is_keyed_by_codes_is_one_place() -> None:
    values = {f"attribute_{one}": [{"data": one}] for one in range(10)}

    shape = shape_of(values, {"another": [{"data": 1}]})

    assert list(shape.fields) == [MEMBER]
    assert shape.fields[MEMBER].types == {"array": 11}


def test_an_object_of_many_plain_fields_stays_one() -> None:
    shape = shape_of({f"field_{one}": "text" for one in range(30)})

    assert len(shape.fields) == 30


def test_words_are_kept_of_status_fields_only() -> None:
    people = [{"status": "open", "name": "Ada", "email": "ada@example.com"} for _ in range(10)]

    shape = shape_of(*people)

    assert vocabulary(shape.fields["status"]) == {"open"}
    assert shape.fields["name"].words == {}
    assert shape.fields["email"].words == {}


def test_words_that_may_be_chance_are_forgotten() -> None:
    shape = shape_of(*({"kind": f"C{one}"} for one in range(10)))

    forget_chance(shape)

    assert shape.fields["kind"].words is None


def test_places_of_people_are_no_words() -> None:
    shape = shape_of(*({"address": {"state": "GA"}, "country": {"code": "FR"}} for _ in range(9)))

    assert shape.fields["address"].fields["state"].words == {}
    assert shape.fields["country"].fields["code"].words == {}


def test_a_code_of_a_status_is_a_word() -> None:
    shape = shape_of(*([{"status": {"code": "IT"}}] for _ in range(9)))

    assert shape.items is not None
    assert shape.items.fields["status"].fields["code"].words == {"IT": 9}


def test_texts_are_no_words() -> None:
    assert shape_of({"status": "Left the depot"}).fields["status"].words is None


def test_depth_and_width_are_bounded() -> None:
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    wide = {f"f{one}": one for one in range(5_000)}

    shape_of(deep)
    shape = shape_of(wide)

    assert len(shape.fields) == 500


def test_shapes_add_up() -> None:
    one, other = shape_of({"a": [1], "state": "x"}), shape_of({"a": ["t"], "b": None, "state": "y"})

    merge(one, other)

    assert one.types == {"object": 2}
    assert one.fields["a"].items is not None
    assert one.fields["a"].items.types == {"number": 1, "string": 1}
    assert one.fields["b"].types == {"null": 1}
    assert one.fields["state"].words == {"x": 1, "y": 1}
