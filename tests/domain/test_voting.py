"""Voting: each need is met by a person of its own, nobody counts who must not approve, one person is one voice."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.ballots import Ballot, weigh
from assent.domain.people import Assurance
from assent.domain.voting import (
    REQUESTER,
    Authority,
    Bar,
    Electorate,
    Need,
    Voter,
    approves,
    barred_as,
    in_whose_name,
    in_words,
    is_one,
    why_not_approve,
    why_not_reject,
)

FINANCE, SRE = "group:finance", "group:sre"
FINANCE_AND_TWO_SRE = Electorate(
    needs=(Need(token=FINANCE, words="finance"), Need(token=SRE, count=2, words="sre")),
    never_by=(Bar(token=REQUESTER, words="whoever started the run"),),
)
APPROVER = Electorate(never_by=(Bar(token=REQUESTER, words="whoever started the run"),), requester="rob")


def authority(name: str, *tokens: str, mailbox: str | None = None) -> Authority:
    box = f"{name}@example.com" if mailbox is None else mailbox
    return Authority(name, name.capitalize(), box, frozenset({"role:approver", f"person:{name}", *tokens}))


def voter(name: str, *tokens: str, for_: tuple[Authority, ...] = (), mailbox: str | None = None) -> Voter:
    return Voter(own=authority(name, *tokens, mailbox=mailbox), able=True, stands_in_for=for_)


def ballots(*voters: Voter) -> list[Ballot]:
    return [Ballot(f"d{number}", each) for number, each in enumerate(voters)]


def test_a_composite_quorum_needs_distinct_people() -> None:
    both = voter("ann", FINANCE, SRE)
    assert not weigh(FINANCE_AND_TWO_SRE, ballots(both, voter("bo", SRE))).met
    assert weigh(FINANCE_AND_TWO_SRE, ballots(both, voter("bo", SRE), voter("cy", SRE))).met
    assert weigh(FINANCE_AND_TWO_SRE, ballots(both, voter("bo", SRE), voter("cy", FINANCE))).met


def test_what_is_missing_is_said() -> None:
    tally = weigh(FINANCE_AND_TWO_SRE, ballots(voter("bo", SRE)))
    assert in_words(tally.missing) == "one of finance and one of sre, all of them different people"
    assert [each.token for each in tally.counted] == [SRE]


def test_the_order_of_votes_does_not_matter() -> None:
    people = [voter("ann", FINANCE, SRE), voter("bo", SRE), voter("cy", FINANCE, SRE)]
    assert all(weigh(FINANCE_AND_TWO_SRE, ballots(*order)).met for order in permutations(people))


def test_a_person_with_two_accounts_is_one_voice() -> None:
    twice = [voter("ann", SRE), voter("ann-2", SRE, mailbox="ann@example.com")]
    tally = weigh(FINANCE_AND_TWO_SRE, ballots(*twice, voter("bo", FINANCE)))
    assert not tally.met
    assert tally.idle == ("d1",)


def test_somebody_and_their_stand_in_are_one_voice() -> None:
    ann, bo = authority("ann", SRE), voter("bo", FINANCE)
    stand_in = voter("cy", for_=(ann,))
    assert not weigh(FINANCE_AND_TWO_SRE, ballots(voter("ann", SRE), stand_in, bo)).met
    assert weigh(FINANCE_AND_TWO_SRE, ballots(voter("dee", SRE), stand_in, bo)).met


def test_two_stand_ins_of_one_person_are_one_voice() -> None:
    ann = authority("ann", SRE)
    two = [voter("cy", for_=(ann,)), voter("dee", for_=(ann,))]
    assert not weigh(FINANCE_AND_TWO_SRE, ballots(*two, voter("bo", FINANCE))).met


def test_a_stand_in_votes_in_the_name_that_is_needed() -> None:
    """They could vote themselves, too; the quorum is met if there is any way to meet it."""
    both = Electorate(needs=(Need(token=FINANCE), Need(token=SRE)))
    stand_in = voter("ann", SRE, for_=(authority("gil", FINANCE),))
    tally = weigh(both, ballots(stand_in, voter("bo", SRE)))
    assert tally.met
    assert [each.authority.person for each in tally.counted if each.token == FINANCE] == ["gil"]


def test_whoever_was_asked_by_escalation_counts_for_any_need() -> None:
    widened = FINANCE_AND_TWO_SRE.model_copy(update={"also": ("mail:duty@example.com",)})
    duty = voter("duty")
    assert why_not_approve(FINANCE_AND_TWO_SRE, duty, Assurance.SESSION)
    assert why_not_approve(widened, duty, Assurance.SESSION) == ""
    assert weigh(widened, ballots(duty, voter("ann", SRE), voter("bo", SRE))).met


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        (voter("rob"), "Rob started this run, so somebody else must approve it."),
        (
            voter("rob-2", mailbox="rob@example.com"),
            "Rob-2 started this run through another account with the same address, so somebody else must approve it.",
        ),
        (voter("tom"), "Tom is the technical owner, so somebody else must approve it."),
        (
            Voter(own=authority("eve"), able=False),
            "Eve may not decide approval requests: they need the role approver.",
        ),
        (
            Voter(own=authority("ann"), able=True, handed_to="Bo"),
            "Ann handed this request to Bo.",
        ),
    ],
    ids=["requester", "second account", "technical owner", "no approver", "handed over"],
)
def test_who_may_not_approve_is_told_why(who: Voter, sentence: str) -> None:
    electorate = APPROVER.model_copy(
        update={
            "requester_mailbox": "rob@example.com",
            "never_by": (*APPROVER.never_by, Bar(token="mail:tom@example.com", words="the technical owner")),
        }
    )
    assert why_not_approve(electorate, who, Assurance.SESSION) == sentence


def test_an_outsider_is_told_who_decides() -> None:
    assert why_not_approve(FINANCE_AND_TWO_SRE, voter("zoe"), Assurance.SESSION) == (
        "Zoe is not among those who decide this: it needs one of finance and two of sre, all of them different people."
    )


def test_nobody_lends_what_they_must_not_do_themselves() -> None:
    rob = authority("rob", FINANCE)
    electorate = FINANCE_AND_TWO_SRE.model_copy(update={"requester": "rob"})
    stand_in = voter("cy", for_=(rob,))
    assert why_not_approve(electorate, stand_in, Assurance.SESSION) == (
        "Cy stands in for Rob, who started this run; somebody else must approve it."
    )
    assert approves(electorate, stand_in) == ()


def test_whoever_must_not_approve_may_say_no() -> None:
    assert why_not_reject(APPROVER, voter("rob"), Assurance.SESSION) == ""


def test_everybody_may_object_to_what_runs_unless_somebody_does() -> None:
    veto = APPROVER.model_copy(update={"veto": True, "assurance": Assurance.FRESH})
    nobody = Voter(own=authority("eve"), able=False)
    assert why_not_reject(veto, nobody, Assurance.SLACK) == ""
    assert why_not_reject(veto, Voter(own=authority("eve"), able=False, enabled=False), Assurance.SLACK)
    assert why_not_reject(APPROVER, nobody, Assurance.SESSION)


@pytest.mark.parametrize("needed", Assurance)
@pytest.mark.parametrize("given", Assurance)
def test_it_must_be_sure_enough_who_it_is(needed: Assurance, given: Assurance) -> None:
    electorate = APPROVER.model_copy(update={"assurance": needed})
    refused = why_not_approve(electorate, voter("ann"), given)
    assert bool(refused) is (given.rank < needed.rank)


def test_in_whose_name_somebody_votes() -> None:
    gil = authority("gil", FINANCE)
    electorate = Electorate(needs=(Need(token=FINANCE),))
    assert in_whose_name(electorate, voter("ann", for_=(gil,))) == gil
    assert in_whose_name(electorate, voter("ann", FINANCE, for_=(gil,))) is None


_TOKENS = ["group:a", "group:b", "group:c"]
_NAMES = [f"p{number}" for number in range(5)]
_needs = st.lists(st.builds(Need, token=st.sampled_from(_TOKENS), count=st.integers(1, 2)), min_size=1, max_size=3)
_electorates = st.builds(
    Electorate,
    needs=_needs.map(lambda needs: tuple({need.token: need for need in needs}.values())),
    requester=st.sampled_from(["", "p0"]),
    never_by=st.sampled_from([(), (Bar(token=REQUESTER, words="the requester"),)]),
    also=st.sampled_from([(), ("person:p4",)]),
)
_groups = st.frozensets(st.sampled_from(_TOKENS))
_people = st.fixed_dictionaries(dict.fromkeys(_NAMES, _groups))
_lent = st.dictionaries(st.sampled_from(_NAMES), st.sampled_from(_NAMES), max_size=2)


def _voters(people: dict[str, frozenset[str]], lent: dict[str, str]) -> list[Voter]:
    own = {name: authority(name, *groups) for name, groups in people.items()}
    return [
        Voter(own=own[name], able=True, stands_in_for=(own[lent[name]],) if lent.get(name, name) != name else ())
        for name in people
    ]


def _possible(electorate: Electorate, voters: list[Voter]) -> bool:
    """Whether the needs can be met, by trying everything."""
    slots = [need.token for need in electorate.needs for _ in range(need.count)]

    def fill(left: list[str], used: set[str], names: set[str]) -> bool:
        if not left:
            return True
        for each in voters:
            if each.own.person in used:
                continue
            for one in each.authorities:
                fits = is_one(left[0], one) or any(is_one(also, one) for also in electorate.also)
                if one.person in names or not fits or barred_as(electorate, one) or barred_as(electorate, each.own):
                    continue
                if fill(left[1:], used | {each.own.person}, names | {one.person}):
                    return True
        return False

    return fill(slots, set(), set())


@given(_electorates, _people, _lent)
def test_a_quorum_is_met_exactly_if_it_can_be(
    electorate: Electorate, people: dict[str, frozenset[str]], lent: dict[str, str]
) -> None:
    may = [each for each in _voters(people, lent) if not why_not_approve(electorate, each, Assurance.FRESH)]
    assert weigh(electorate, ballots(*may)).met is _possible(electorate, may)


@given(_electorates, _people, _lent)
def test_what_counts_is_distinct_and_counts_for_what_it_is(
    electorate: Electorate, people: dict[str, frozenset[str]], lent: dict[str, str]
) -> None:
    voters = [each for each in _voters(people, lent) if not why_not_approve(electorate, each, Assurance.FRESH)]
    tally = weigh(electorate, ballots(*voters))
    assert len({each.ballot for each in tally.counted}) == len(tally.counted)
    assert len({each.authority.person for each in tally.counted}) == len(tally.counted)
    for each in tally.counted:
        assert each.token in each.authority.tokens or any(also in each.authority.tokens for also in electorate.also)
    assert len(tally.counted) + sum(need.count for need in tally.missing) == electorate.size


@given(_electorates, _people, _lent)
def test_another_approval_never_takes_one_away(
    electorate: Electorate, people: dict[str, frozenset[str]], lent: dict[str, str]
) -> None:
    voters = [each for each in _voters(people, lent) if not why_not_approve(electorate, each, Assurance.FRESH)]
    given_before = 0
    for number in range(len(voters) + 1):
        given_now = len(weigh(electorate, ballots(*voters[:number])).counted)
        assert given_now >= given_before
        given_before = given_now
