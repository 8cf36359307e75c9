"""A frozen mapping is a dict to whoever reads it, and never changes under a reader."""

from hypothesis import given
from hypothesis import strategies as st

from modelwarden.domain.keyed import Grouped, Keyed


class ByParity(Grouped[int, int]):
    """Numbers, grouped by whether their value is odd."""

    @staticmethod
    def groups(value: int) -> frozenset[str]:
        """Name the parity."""
        return frozenset({"odd" if value % 2 else "even"})


PUTS = st.lists(st.tuples(st.integers(0, 300), st.integers()), max_size=400)


@given(PUTS)
def test_it_reads_like_the_dict_of_the_same_puts(puts: list[tuple[int, int]]) -> None:
    expected: dict[int, int] = {}
    keyed = Keyed[int, int]()
    for key, value in puts:
        expected[key] = value
        keyed = keyed.put(key, value)

    assert (list(keyed.items()), len(keyed), keyed) == (
        list(expected.items()),
        len(expected),
        expected,
    )


@given(PUTS, st.integers(0, 300), st.integers())
def test_a_put_leaves_the_mapping_it_was_put_into_as_it_was(
    puts: list[tuple[int, int]], key: int, value: int
) -> None:
    before = Keyed.of(dict(puts))

    before.put(key, value)

    assert before == dict(puts)


@given(PUTS)
def test_a_group_has_the_keys_whose_values_belong_to_it(puts: list[tuple[int, int]]) -> None:
    grouped = ByParity()
    for key, value in puts:
        grouped = grouped.put(key, value)

    expected = {key for key, value in dict(puts).items() if value % 2}
    assert (set(grouped.group("odd")), len(grouped.group("odd"))) == (expected, len(expected))
