from __future__ import annotations

import pytest

from detente.discourse import Discourse, Told


@pytest.fixture(scope="module")
def discourse() -> Discourse:
    return Discourse.load()


def read(discourse: Discourse, text: str) -> list[Told]:
    return discourse.read(text, lambda _: True)


def holders(told: Told) -> dict[str, str]:
    """What stands for each party of a statement."""
    return {c.party.id: c.mention.text for c in told.candidates if c is not None}


def test_we_is_the_speakers_side(discourse: Discourse) -> None:
    text = (
        "Talks went on in Geneva. “We will never accept the plan,” South Korea’s deputy foreign "
        "minister, Han Jin-woo, told reporters. “We have offered enough,” he added."
    )
    *_, first, second = read(discourse, text)
    assert holders(first) == {"KOR": "South Korea"}
    assert holders(second) == {"KOR": "We"}
    assert "Han Jin-woo" in str(second.speaker)
    assert (first.attribution, second.attribution) == ("direct", "direct")


def test_the_party_talked_about_is_found_beside_the_speakers(discourse: Discourse) -> None:
    text = "“Peru is showing a more flexible attitude,” said Chile’s foreign minister."
    (told,) = read(discourse, text)
    assert {"PER", "CHL"} <= set(holders(told))


def test_metonyms_share_one_party(discourse: Discourse) -> None:
    text = "The White House rejected the draft. Washington said it would not sign."
    first, second = read(discourse, text)
    assert set(holders(first)) == set(holders(second)) == {"USA"}


def test_a_place_is_no_party(discourse: Discourse) -> None:
    (told,) = read(discourse, "Norway refused to sign the text in Vienna.")
    assert set(holders(told)) == {"NOR"}


def test_an_invented_company_and_its_other_names_are_one_party(discourse: Discourse) -> None:
    text = (
        "Orbelin has refused to raise its offer. “The figure stands,” said Maud Terrier, Orbelin’s "
        "finance chief.\n\n“We will not move,” she said. The company rejected a second round.\n"
    )
    told = read(discourse, text)
    parties = [set(holders(statement)) for statement in told]
    assert parties == [{"Orbelin"}] * 4
    assert holders(told[2]) == {"Orbelin": "We"}


def test_a_bystander_of_another_kind_is_not_the_union(discourse: Discourse) -> None:
    text = (
        "The union turned the offer down. The shipping line Norrbeck said it took no side. “We "
        "will wait,” said Marta Quillan, the union’s regional secretary. Norrbeck agreed to wait.\n"
    )
    parties = [set(holders(told)) for told in read(discourse, text)]
    assert parties == [{"the union"}, {"Norrbeck"}, {"the union"}, {"Norrbeck"}]


def test_a_bystander_speaks_for_nobody(discourse: Discourse) -> None:
    text = (
        "Mali rejected the plan. “It is a trap,” said Awa Keita, who sells cloth near the station."
    )
    *_, told = read(discourse, text)
    assert holders(told) == {}


def test_a_pronoun_is_followed_only_where_nothing_is_named(discourse: Discourse) -> None:
    first, second = read(discourse, "Japan made an offer. It demanded an answer by Friday.")
    assert holders(first) == {"JPN": "Japan"}
    assert holders(second) == {"JPN": "It"}
    _, named = read(discourse, "Japan made an offer. It said Peru refused to answer.")
    assert "PER" in holders(named)


def test_the_us_is_not_us(discourse: Discourse) -> None:
    text = (
        "Iran's foreign minister, Abbas Araghchi, met reporters. "
        '"The US must lift sanctions first," he said. "It is up to us," he said.'
    )
    _, first, second = read(discourse, text)
    assert holders(first) == {"USA": "US", "IRN": "he"}
    assert holders(second) == {"IRN": "us"}


def test_a_party_that_is_spelled_like_a_pronoun_speaks(discourse: Discourse) -> None:
    text = "US: We will sign the text. We may wait.\n\nIRAN: No.\n\nUS: No.\n\nIRAN: No.\n"
    _, second, *_ = read(discourse, text)
    assert holders(second) == {"USA": "We"}


def test_a_word_of_a_name_is_no_pronoun(discourse: Discourse) -> None:
    text = "Oman’s envoy refused. “The rest of the Our Land Front will not sign,” he said.\n"
    _, told = read(discourse, text)
    assert holders(told) == {"Our Land Front": "Our Land Front", "OMN": "he"}
    text = "Norway made an offer. IT chief Lena Berg said “no one must move”."
    _, told = read(discourse, text)
    assert holders(told) == {}


@pytest.mark.parametrize("speaker", ["They", "Its minister"])
def test_a_pronoun_is_another_party_further_down(discourse: Discourse, speaker: str) -> None:
    text = (
        f"Norway made an offer. {speaker} said they would wait. "
        f"Sweden rejected it. {speaker} said they would not sign."
    )
    parties = [set(holders(told)) for told in read(discourse, text)]
    assert parties == [{"NOR"}, {"NOR"}, {"SWE"}, {"SWE"}]


def test_she_is_whose_spokeswoman_she_was(discourse: Discourse) -> None:
    text = "Norway made an offer. “No,” its spokeswoman said. “We want an answer,” she said."
    *_, told = read(discourse, text)
    assert holders(told) == {"NOR": "We"}


def test_an_answer_belongs_to_the_guest(discourse: Discourse) -> None:
    text = (
        "Ines Quiroga, chief negotiator for the Dockers' Union, spoke by telephone.\n\n"
        "Q: Will you sign?\n\nA: We will not sign before Friday.\n"
    )
    *_, answer = read(discourse, text)
    assert set(holders(answer)) == {"Dockers' Union"}


def test_what_a_party_is_called_in_capitals(discourse: Discourse) -> None:
    text = "TOLVIA SHUTS CROSSING\n\nTolvia’s government refused on Friday to open the crossing.\n"
    headline, told = read(discourse, text)
    assert set(holders(headline)) == set(holders(told)) == {"Tolvia"}


def test_a_name_may_end_in_a_full_stop(discourse: Discourse) -> None:
    text = (
        "Frank Tolliver Jr., who leads the Harbour Workers Union, was brief.\n\n"
        '"We will sign," Frank Tolliver Jr. said.'
    )
    assert set(holders(read(discourse, text)[-1])) == {"Harbour Workers Union"}
    text = (
        "ORMOND STEEL CORP. REJECTS OFFER\n\nOrmond Steel Corp. said on Monday it would not sell."
    )
    assert set(holders(read(discourse, text)[0])) == {"Ormond Steel Corp."}


def test_mentions_index_the_article(discourse: Discourse) -> None:
    text = "Oslo,\r\nhe said, would wait.\n\n‘We accept,’ said Peru’s envoy.\r\n"
    found = []
    for told in read(discourse, text):
        for candidate in told.candidates:
            assert candidate is not None
            mention = candidate.mention
            if mention.start is not None:
                assert text[mention.start : mention.end] == mention.text
                found.append(mention.text)
    assert len(found) >= 2


@pytest.mark.parametrize(
    ("introduction", "side"),
    [
        ("Norway made Peru an offer. Its envoy, Ruth Amsel, brought a map.", "NOR"),
        ("The cabinet lives on Norway’s loans. Its envoy, Ruth Amsel, brought a map.", "NOR"),
        ("Ruth Amsel’s party, the Harbour Alliance, came first.", "Harbour Alliance"),
        (
            "The Dockers' Union met Tarn Mining Ltd. Its shop steward, Ruth Amsel, sang.",
            "Dockers' Union",
        ),
        (
            "The Dockers' Union met Tarn Mining Ltd. Ruth Amsel, its chairman, sang.",
            "Tarn Mining Ltd.",
        ),
        (
            "Tarn Mining Ltd. was late. Ruth Amsel, who cooks for the Dockers' Union, sang.",
            "Dockers' Union",
        ),
    ],
)
def test_a_speaker_is_introduced_as_somebodys(
    discourse: Discourse, introduction: str, side: str
) -> None:
    text = f"{introduction} The Harbour Alliance met on Monday.\n\n“We want an answer,” Amsel said."
    *_, told = read(discourse, text)
    assert holders(told) == {side: "We"}


@pytest.mark.parametrize(
    ("sentence", "mention"),
    [
        ("Neither side will move first.", "Neither side"),
        ("Both have agreed to wait.", "Both"),
        ("The two governments refused.", "The two governments"),
        ("The draft was rejected by both capitals.", "both capitals"),
    ],
)
def test_both_are_the_two_named_most_often(
    discourse: Discourse, sentence: str, mention: str
) -> None:
    text = f"Norway told Peru so. Norway asked Peru to wait. Chile was not there. {sentence}"
    *_, told = read(discourse, text)
    assert holders(told) == {"NOR": mention, "PER": mention}


def test_both_are_of_the_kind_that_is_said(discourse: Discourse) -> None:
    text = (
        "Norway and Peru lost patience with Ormond Steel Corp. and Tarn Mining Ltd. on Friday. "
        "Norway said so. Neither company would move first."
    )
    *_, told = read(discourse, text)
    assert set(holders(told)) == {"Ormond Steel Corp.", "Tarn Mining Ltd."}


@pytest.mark.parametrize(
    "sentence",
    [
        "Norway urged both sides to wait.",
        "The two ships collided.",
        "Both Lena Tamm and the weather were late.",
    ],
)
def test_two_things_are_not_two_parties(discourse: Discourse, sentence: str) -> None:
    text = f"Norway told Peru so. Norway asked Peru to wait. {sentence}"
    *_, told = read(discourse, text)
    assert "PER" not in holders(told)


@pytest.mark.parametrize(
    ("sentence", "party"),
    [
        ("The hijackers threatened to blow up the bridge.", "the hijackers"),
        ("The bondholders and a larger bloc refused.", "the bloc"),
        ("The Harvest Caucus refused to vote.", "Harvest Caucus"),
        ("Inland Hockey Circuit (IHC) refused to play.", "Inland Hockey Circuit"),
    ],
)
def test_a_party_that_no_list_knows_is_told_by_what_it_does(
    discourse: Discourse, sentence: str, party: str
) -> None:
    *_, told = read(discourse, f"It rained on Monday. {sentence}")
    assert party in holders(told)


@pytest.mark.parametrize(
    "sentence", ["Analysts expected more.", "The report warned of delays.", "Others refused."]
)
def test_whoever_only_reports_is_no_party(discourse: Discourse, sentence: str) -> None:
    *_, told = read(discourse, f"It rained on Monday. {sentence}")
    assert holders(told) == {}


def test_the_minister_is_of_the_state_that_the_article_is_about(discourse: Discourse) -> None:
    text = (
        "Norway waited. Norway had asked Peru for time. Norway would not ask again.\n\n"
        "“We want an answer,” Finance Minister Ruth Amsel said."
    )
    *_, told = read(discourse, text)
    assert holders(told) == {"NOR": "We"}
    *_, told = read(discourse, text.replace("Norway would", "Peru would"))
    assert holders(told) == {}
    *_, told = read(discourse, f"The Dockers' Union met. The Dockers' Union sang. {text}")
    assert holders(told) == {"NOR": "We"}
    unions = "The Dockers' Union sang. " * 4
    *_, told = read(discourse, f"{unions}{text}")
    assert holders(told) == {}


def test_what_a_minister_is_in_charge_of_is_no_party(discourse: Discourse) -> None:
    _, told = read(discourse, "It rained. Deputy Energy Minister Lena Tamm would not talk.")
    assert holders(told) == {}


def test_an_owner_is_a_person(discourse: Discourse) -> None:
    told = read(discourse, "Ruth Amsel, the owner, would not talk. Tarn, the airline, would wait.")
    assert [set(holders(one)) for one in told] == [set(), {"Tarn"}]


def test_the_head_of_a_briefing_tells_who_holds_it(discourse: Discourse) -> None:
    text = (
        "Ministry of Foreign Affairs, Oslo\n\nQUESTION: Will you go to Lima?\n\n"
        "MR. TAMM: We will not go before Friday.\n\nQUESTION: And Peru?\n\n"
        "MR. TAMM: We have asked for a date.\n"
    )
    told = read(discourse, text)
    assert holders(told[-1]) == {"NOR": "We"}
    assert not any("NOR" in holders(one) for one in told if "QUESTION" in str(one.speaker))


def test_a_speaker_is_introduced_across_lines(discourse: Discourse) -> None:
    text = "Lena\r\nTamm, Norway's envoy, arrived late. “We will wait,” Lena Tamm said."
    *_, told = read(discourse, text)
    assert holders(told) == {"NOR": "We"}


def test_statements_that_pass_no_gate_are_not_read(discourse: Discourse) -> None:
    text = "Japan refused. Peru agreed."
    told = discourse.read(text, lambda statement: "refused" in statement)
    assert [bool(statement.candidates) for statement in told] == [True, False]
    assert all(statement.candidates for statement in read(discourse, text))
    assert all(not t.candidates for t in discourse.read(text, lambda _: False))


def test_a_dateline_names_no_party(discourse: Discourse) -> None:
    (told,) = read(discourse, "NAIROBI, Kenya — Somalia's envoy rejected the plan.")
    assert set(holders(told)) == {"SOM"}


def test_what_stands_between_quotations_is_not_their_speakers(discourse: Discourse) -> None:
    text = (
        "Kenya's envoy said: \"It is over.\" Somalia's envoy shook his head. The hall emptied. "
        '"We will not move," Kenya\'s envoy said.'
    )
    first, *between, last = read(discourse, text)
    assert [set(holders(told)) for told in between] == [{"SOM"}, set()]
    assert set(holders(first)) == set(holders(last)) == {"KEN"}


def test_the_government_is_none_that_is_named_later_among_others(discourse: Discourse) -> None:
    text = "The government said it would wait. Chad refused. Sudan agreed."
    told = read(discourse, text)
    assert [set(holders(statement)) for statement in told] == [
        {"the government"},
        {"TCD"},
        {"SDN"},
    ]
    told = read(discourse, "The government said it would wait. Chad refused.")
    assert [set(holders(statement)) for statement in told] == [{"TCD"}, {"TCD"}]


def test_a_companys_name_tells_that_it_has_a_chief_executive(discourse: Discourse) -> None:
    text = 'Delmont Inc. raised its bid. "We can wait," said chief executive Ruth Amsel.'
    *_, told = read(discourse, text)
    assert holders(told) == {"Delmont Inc.": "We"}


def test_a_turn_may_tell_the_speakers_office_or_how_it_is_heard(discourse: Discourse) -> None:
    text = (
        "HARRIS: Will you move?\n\nALI ZARI, U.N. ENVOY: We will not move.\n\nHARRIS: Why not?\n\n"
        "KERRIN: Let us wait.\n\nZARI (through translator): We want talks.\n\nHARRIS: Thank you."
    )
    told = [(one.speaker, one.attribution) for one in read(discourse, text)]
    assert [speaker for speaker, _ in told] == [
        "HARRIS",
        "ALI ZARI",
        "HARRIS",
        "KERRIN",
        "ALI ZARI",
        "HARRIS",
    ]


@pytest.mark.parametrize(
    ("lead", "party"),
    [
        ("Somalia's envoy shook his head.", "SOM"),
        ("Somalia's envoy, who leads a team of nine, was blunt:", "SOM"),
        ("He shook his head.", "KEN"),
        ("The hall emptied.", "KEN"),
    ],
)
def test_a_sentence_may_lead_to_another_speaker(
    discourse: Discourse, lead: str, party: str
) -> None:
    text = f'Kenya\'s envoy said: "It is over." {lead} "We will not move, ever."'
    *_, last = read(discourse, text)
    assert set(holders(last)) == {party}


def test_a_country_is_not_its_companies_and_unions(discourse: Discourse) -> None:
    text = (
        "The German carmaker refused to move. German unions rejected it. The German cabinet left."
    )
    told = read(discourse, text)
    assert ["DEU" in holders(statement) for statement in told] == [False, False, True]


@pytest.mark.parametrize(
    ("text", "parties"),
    [
        ("Iran refused. The Israeli foreign minister said no.", {"ISR"}),
        ("Mali refused. The president of Togo said the plan was dead.", {"TGO"}),
        ("The Togo government agreed. The Ghana government refused.", {"GHA"}),
        ("Volmar Corp. agreed. Norrmetal Inc. agreed. The board of Norrmetal refused.",
         {"Norrmetal Inc."}),
        ("Lisbon dockers agreed. The French union refused.", {"the union"}),
    ],
)  # fmt: skip
def test_an_organ_is_its_owners(discourse: Discourse, text: str, parties: set[str]) -> None:
    *_, told = read(discourse, text)
    assert set(holders(told)) == parties


def test_a_company_is_not_its_drivers(discourse: Discourse) -> None:
    text = (
        "Brevik Foods and the Seafarers' Alliance met. Brevik drivers walked out. The union said "
        "no. The company refused to pay more."
    )
    *_, union, company = read(discourse, text)
    assert set(holders(union)) == {"Seafarers' Alliance"}
    assert set(holders(company)) == {"Brevik Foods"}


def test_a_listed_body_is_not_the_company_that_has_no_name(discourse: Discourse) -> None:
    text = "The company refused to pay. The International Monetary Fund has urged restraint."
    company, _ = read(discourse, text)
    assert set(holders(company)) == {"the company"}


def test_rebels_are_not_the_state_they_fight(discourse: Discourse) -> None:
    text = (
        "Sudanese rebels rejected the truce. Sudanese rebel leader Musa Adam left. “We will "
        "fight,” Adam said. Syrian opposition leaders refused."
    )
    first, _, we, opposition = read(discourse, text)
    assert set(holders(first)) == {"the rebels"}
    assert holders(we) == {"the rebels": "We"}
    assert "SYR" not in holders(opposition)
    assert holders(read(discourse, "An Israeli commander refused.")[0]) == {"ISR": "Israeli"}


@pytest.mark.parametrize(
    "text",
    [
        "Israeli analyst Dan Levi was blunt. “We will never accept this,” Levi said.",
        "It is over, said Dan Levi, an Israeli analyst.",
        "French resident Anne Roy said the plan was dead.",
        "Iran-backed fighters refused to withdraw.",
        "Chinese-made goods will face tariffs, analysts said.",
        "Talks in Doha, Qatar, ended on Monday without a compromise.",
        "Residents of Lagos rejected the plan.",
        "The Washington Post said a compromise was near.",
        "Jordan Šimić said the plan was dead.",
    ],
)
def test_who_comes_from_a_country_is_not_the_country(discourse: Discourse, text: str) -> None:
    assert not any(c.party.actor for told in read(discourse, text) for c in told.candidates)


def test_a_minister_at_home_is_not_the_other_sides(discourse: Discourse) -> None:
    text = (
        "CAIRO, 4 June (MENA) - Ethiopia must stop filling its dam, the foreign minister said. "
        "Ethiopia refused. “We will not yield,” the minister said."
    )
    *_, told = read(discourse, text)
    assert "ETH" not in holders(told)
    text = (
        "MOSCOW (TASS) - Moscow is ready, Deputy Foreign Minister Pavel Sidorov said. Washington "
        "refused. Washington must wait. Washington said no. “We are ready,” Sidorov said."
    )
    *_, told = read(discourse, text)
    assert "USA" not in holders(told)


@pytest.mark.parametrize(
    ("text", "party"),
    [
        ("Marks & Spencer refused to pay. Marks & Spencer said no.", "Marks & Spencer"),
        ("Škoda Works Ltd. refused to pay.", "Škoda Works Ltd."),
        ("U.N. envoy Jan Pronk agreed. Pronk said no.", "UN"),
        ("Kenya's Information Minister Joe Odera said no.", "KEN"),
    ],
)
def test_names_are_not_cut(discourse: Discourse, text: str, party: str) -> None:
    *_, told = read(discourse, text)
    assert set(holders(told)) == {party}


def test_a_turn_does_not_tell_who_takes_it(discourse: Discourse) -> None:
    text = (
        "MR. PRICE: Good afternoon. We will not negotiate in public. Iran must act first.\n\n"
        "QUESTION: Is Israel on board with you?\n\nMR. PRICE: We will see.\n\n"
        "QUESTION: Do we expect a deal?\n"
    )
    _, we, *_, see, question = read(discourse, text)
    assert holders(we) == holders(see) == holders(question) == {}


def test_things_are_no_parties(discourse: Discourse) -> None:
    text = "Volmar Corp. held talks. The target is a rise of two percent. The service was slow."
    _, *told = read(discourse, text)
    assert [holders(one) for one in told] == [{}, {}]


@pytest.mark.parametrize(
    ("text", "parties"),
    [
        (
            "The Honduran Government opened camps. The beds came from Spain, and men from Spain "
            "put them up. The cooks are from the valley and sing at night. Spain paid for a "
            "school and a well, too. Nobody has slept there. The rain came early. The Government "
            "refused to move.",
            {"HND"},
        ),
        (
            "LISBON, Jan 21 (Meridian) - Zaire's Cabinet met. Portugal waited, and Portugal said "
            "no word. Portugal kept watch. The street in front of the embassy was closed, and "
            "people stood in the rain until the evening with candles and umbrellas in their "
            "hands, and some sang. The government refused to open the airport.",
            {"PRT"},
        ),
        ("Spain's government met. In Bonn, the Government rejected the draft.", {"DEU"}),
        ("Spain's government met. The foreign ministry in Lisbon rejected it.", {"PRT"}),
        (
            "The Chilean government met Peru. In Lima, the Foreign Ministry waited. The ministry "
            "rejected the draft.",
            {"PER"},
        ),
    ],
)
def test_the_government_is_the_one_told_of_as_such(
    discourse: Discourse, text: str, parties: set[str]
) -> None:
    *_, last = read(discourse, text)
    assert set(holders(last)) == parties


def test_an_ambassador_may_be_of_the_government_that_is_told_of(discourse: Discourse) -> None:
    text = (
        "The government in Paramaribo wants the force gone. Ghana and Venezuela sent it. "
        "Ambassador Ludwig Pinas told the Council that there would be no more talks."
    )
    *_, last = read(discourse, text)
    assert set(holders(last)) == {"SUR"}


@pytest.mark.parametrize(
    "speaker",
    [
        "Prof Achieng Kubasu of Maseno University",
        "Lesley Prendergast, who teaches Asian politics at Maseno University",
        "Lesley Prendergast, a lecturer at Maseno University",
    ],
)
def test_a_scholar_is_not_the_university(discourse: Discourse, speaker: str) -> None:
    first, second = read(
        discourse, f"They are stalling, said {speaker}. “Both are afraid,” she said."
    )
    assert "Maseno University" not in {*holders(second)}
    assert "she" not in {*holders(first).values(), *holders(second).values()}


def test_a_professor_in_office_speaks_for_the_university(discourse: Discourse) -> None:
    text = "“We will not pay,” said Prof Ada Holt, president of Maseno University."
    (told,) = read(discourse, text)
    assert set(holders(told)) == {"Maseno University"}


def test_a_ministry_is_a_party_where_no_state_is_named(discourse: Discourse) -> None:
    text = (
        "The Health Ministry owes money to the Junior Officers’ Association, the association’s "
        "president said. Health Minister Sakiusa Vola offered half. Mr Vola told reporters that he "
        "could live with it."
    )
    *_, last = read(discourse, text)
    assert set(holders(last)) == {"Health Ministry"}


def test_whoever_has_a_president_is_not_a_state(discourse: Discourse) -> None:
    text = (
        "The Convention’s secretary-general dismissed the plan. The league’s president, Ada Holt, "
        "of Maseno University, agreed."
    )
    first, _ = read(discourse, text)
    assert set(holders(first)) == {"Convention"}


@pytest.mark.parametrize("sentence", ["Two of them refused to sign.", "Two delegations refused."])
def test_some_two_are_not_the_two_sides(discourse: Discourse, sentence: str) -> None:
    *_, last = read(discourse, f"Kenya met Uganda. Kenya spoke. {sentence}")
    assert holders(last) == {}


@pytest.mark.parametrize("sentence", ["Both delegations refused.", "The two delegations refused."])
def test_both_delegations_are_the_two_sides(discourse: Discourse, sentence: str) -> None:
    *_, last = read(discourse, f"Kenya met Uganda. Kenya spoke. {sentence}")
    assert set(holders(last)) == {"KEN", "UGA"}


@pytest.mark.parametrize(
    "text",
    [
        "The Law Minister said the Constitution permitted it. The Constitution allowed no delay.",
        "Its Minister of Information rejected the note. The Minister of Information said no.",
        "Nkomo’s office said it was ready. Nkomo’s office rejected the draft.",
        "Brevik drivers rejected the offer. Brevik drivers walked out.",
    ],
)
def test_what_is_no_party(discourse: Discourse, text: str) -> None:
    found = {party for told in read(discourse, text) for party in holders(told)}
    assert not found & {"Constitution", "Information", "Nkomo", "Brevik"}


def test_a_note_is_of_whom_the_sentence_before_is_about(discourse: Discourse) -> None:
    text = "Kenya sent Uganda a note. The note adds that the border will stay shut."
    *_, last = read(discourse, text)
    assert holders(last) == {"KEN": "The note"}


def test_its_chairman_is_whoever_was_named_last(discourse: Discourse) -> None:
    text = (
        "Corrigal Mining Ltd. waits. The Tirovale Landowners’ Council laid a log across the road. "
        "“We will lift the log first,” said its chairman, Ezekiel Ravo."
    )
    *_, last = read(discourse, text)
    assert set(holders(last)) == {"Tirovale Landowners' Council"}


def test_the_parent_of_a_company_is_not_its_country(discourse: Discourse) -> None:
    text = "The Dutch parent said it would not sign."
    (told,) = read(discourse, text)
    assert "NLD" not in holders(told)


@pytest.mark.parametrize(
    ("sentence", "parties"),
    [("By nightfall it had put up a notice.", {"KEN"}), ("It rained. It took an hour.", set())],
)
def test_it_does_something_wherever_nobody_else_is_named(
    discourse: Discourse, sentence: str, parties: set[str]
) -> None:
    _, *rest = read(discourse, f"Kenya refused to sign. {sentence}")
    assert {party for told in rest for party in holders(told)} == parties
