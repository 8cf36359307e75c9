import pytest

from modelwarden.cli.completing import Want, wanted


@pytest.mark.parametrize(
    ("words", "want"),
    [
        ([], Want.VERB),
        ([""], Want.VERB),
        (["pro"], Want.VERB),
        (["promote", ""], Want.MODEL),
        (["promote", "fraud"], Want.MODEL),
        (["promote", "fraud-detector", ""], Want.VERSION),
        (["promote", "fraud-detector", "3", ""], Want.NOTHING),
        (["promote", "-n", "risk", ""], Want.MODEL),
        (["promote", "--namespace=risk", ""], Want.MODEL),
        (["promote", "fraud-detector", "--wait", ""], Want.VERSION),
        (["promote", "fraud-detector", "3", "--to", ""], Want.VALUE),
        (["promote", "fraud-detector", "3", "--"], Want.OPTION),
        (["-n", "risk", "get", ""], Want.MODEL),
        (["get", "-o", ""], Want.VALUE),
        (["get", "fraud-detector", ""], Want.NOTHING),
        (["resolve", "fraud-detector@"], Want.REFERENCE),
        (["diff", "fraud-detector", "2", ""], Want.VERSION),
        (["logs", "fraud-detector", "2", "art"], Want.GATE),
        (["rollback", "fraud-detector", ""], Want.NOTHING),
        (["demote", "-y", "fraud-detector", ""], Want.VERSION),
        (["register", ""], Want.FILE),
        (["register", "--model", ""], Want.MODEL),
        (["register", "--from", ""], Want.FILE),
        (["audit", ""], Want.VERB),
        (["audit", "ver"], Want.VERB),
        (["audit", "verify", ""], Want.NOTHING),
        (["audit", "verify", "--"], Want.OPTION),
        (["audit", "show", "--model", ""], Want.MODEL),
        (["nothing", ""], Want.NOTHING),
    ],
)
def test_what_may_come_next_follows_from_the_words_before(words: list[str], want: Want) -> None:
    assert wanted(words).want is want


def test_the_options_before_are_known_by_their_long_names() -> None:
    place = wanted(["why", "-n", "risk", "--context=owner", "fraud-detector", "-o", "json", "1"])

    assert (place.prefix, place.verb, place.arguments, place.options) == (
        "1",
        "why",
        ("fraud-detector",),
        {"--namespace": "risk", "--context": "owner", "--output": "json"},
    )
