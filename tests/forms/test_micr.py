"""MICR lines say what their layouts let them say, and how surely."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import InvalidRequest
from core.micr import ABA_WEIGHTS, CLASSES, DASH, DIGITS, NONE, ON_US, SYMBOLS, TRANSIT, is_routing_number, spelled
from forms import micr
from forms.micr import differing, parse, parse_text
from forms.micr_cells import MAX_SPACES, NARROWEST_STEP, WINDOWS_A_PITCH, choose_cells
from forms.micr_layouts import DIGIT, LAYOUTS, Layout, Part, chain_of

CTS = f"{ON_US}083654{ON_US} 500025033{TRANSIT} 290062{ON_US} 31"
US = f"{TRANSIT}322271779{TRANSIT} 4192580{ON_US} 1005"


def numbers(least: int, most: int | None = None) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=least, max_size=most or least)


def cells_of(line: str, *, sure: float = 0.999) -> NDArray[np.float64]:
    """Return the cells of a line, each symbol as probable as `sure`."""
    classes = [CLASSES.index(char) if char in SYMBOLS else NONE for char in line]
    rows = np.full((len(line), len(CLASSES)), (1 - sure) / (len(CLASSES) - 1))
    rows[np.arange(len(line)), classes] = sure
    return rows


def with_check(digits: str) -> str:
    """Return the routing number of eight digits."""
    total = sum(weight * int(digit) for weight, digit in zip(ABA_WEIGHTS, digits, strict=False))
    return f"{digits}{-total % 10}"


@given(numbers(6), numbers(9), numbers(6), numbers(2))
def test_indian_lines_parse_into_their_fields(cheque: str, routing: str, account: str, code: str) -> None:
    line = parse(cells_of(f"  {ON_US}{cheque}{ON_US} {routing}{TRANSIT} {account}{ON_US} {code} "))
    assert line.family == "cts2010"
    assert line.texts() == {
        "cheque_number": cheque, "routing": routing, "account": account, "transaction_code": code
    }  # fmt: skip
    assert line.known > 0.99
    assert all(field.probability > 0.9 for field in line.fields)


@given(numbers(8).map(with_check), numbers(4, 17), numbers(3, 6))
def test_american_lines_parse_into_their_fields(routing: str, account: str, cheque: str) -> None:
    line = parse(cells_of(f"{TRANSIT}{routing}{TRANSIT} {account}{ON_US} {cheque}"))
    assert line.family == "us"
    assert line.texts() == {"routing": routing, "account": account, "cheque_number": cheque}
    assert not any(field.check_failed for field in line.fields)


@pytest.mark.parametrize(
    ("line", "family", "texts"),
    [
        (f"{ON_US}120612{ON_US} 500015048{TRANSIT}        31", "cts2010",
         {"cheque_number": "120612", "routing": "500015048", "transaction_code": "31"}),
        (f"{ON_US}001234{ON_US} {TRANSIT}322271779{TRANSIT} 4192580{ON_US}", "us",
         {"cheque_number": "001234", "routing": "322271779", "account": "4192580"}),
        (f"{US}   ⑇0000000419⑇", "us",
         {"routing": "322271779", "account": "4192580", "cheque_number": "1005", "amount": "0000000419"}),
        (f"{TRANSIT}322271779{TRANSIT} 1005 {ON_US} 41{DASH}92 580{ON_US}", "us",
         {"routing": "322271779", "cheque_number": "1005", "account": "4192580"}),
        (f"{TRANSIT}000000000{TRANSIT} {TRANSIT}000000000{TRANSIT}    1025", "us",
         {"routing": "000000000", "account": "000000000", "cheque_number": "1025"}),
        (f"{TRANSIT}0540{DASH}0004{TRANSIT}   {ON_US}140 611 6{ON_US}    ⑇0000002500⑇", "us",
         {"routing": "05400004", "account": "1406116", "amount": "0000002500"}),
        (f"{ON_US}243{ON_US} {TRANSIT}00005{DASH}123{TRANSIT} 123{DASH}456{DASH}7{ON_US}", "canada",
         {"cheque_number": "243", "routing": "00005123", "account": "1234567"}),
    ],
    ids=["no account", "business", "amount", "cheque first", "printed at home", "before 1965", "canada"],
)  # fmt: skip
def test_other_layouts_parse_into_their_fields(line: str, family: str, texts: dict[str, str]) -> None:
    parsed = parse(cells_of(line))
    assert (parsed.family, parsed.texts()) == (family, texts)
    assert parsed.known > 0.9


def test_what_stands_beside_the_line_is_no_part_of_it() -> None:
    line = parse(cells_of(f"7  {CTS}      0 "))
    assert line.texts() == parse_text(CTS).texts()


@pytest.mark.parametrize("line", ["", " ", "1", "123", f"{ON_US}12{ON_US}", "0" * 30, f"{DASH}{TRANSIT}" * 12])
def test_what_fits_no_layout_is_not_vouched_for(line: str) -> None:
    parsed = parse(cells_of(line))
    assert parsed.known < 0.5 or not parsed.fields


def test_strong_ink_is_not_overridden_for_the_sake_of_a_layout() -> None:
    # A dash in the place of a digit: the layout would rather have a digit there.
    line = parse(cells_of(CTS.replace("500025033", f"5000{DASH}5033"), sure=0.9999), families=("cts2010",))
    assert all(field.probability < 0.2 for field in line.fields if field.name == "routing")


def test_a_doubtful_digit_makes_its_own_field_doubtful_and_no_other() -> None:
    cells = cells_of(CTS)
    cells[3, SYMBOLS.index("3")] = cells[3, SYMBOLS.index("8")] = 0.4995
    fields = {field.name: field for field in parse(cells).fields}
    assert 0.4 < fields["cheque_number"].probability < 0.55
    assert fields["account"].probability > 0.95


def test_the_check_digit_decides_between_two_digits() -> None:
    cells = cells_of(US)
    place = US.index("7")
    cells[place, SYMBOLS.index("7")], cells[place, SYMBOLS.index("1")] = 0.3, 0.69
    routing = parse(cells).fields[0]
    assert (routing.text, routing.check_failed) == ("322271779", False)
    assert routing.probability > 0.9


def test_strong_ink_that_breaks_the_check_digit_is_reported_as_it_stands() -> None:
    routing = parse(cells_of(US.replace("322271779", "322271770"), sure=1.0)).fields[0]
    assert (routing.text, routing.check_failed) == ("322271770", True)


def test_indian_routing_numbers_have_no_check_digit() -> None:
    assert not is_routing_number("500025033")
    assert not any(field.check_failed for field in parse(cells_of(CTS)).fields)


@given(numbers(8).map(with_check), st.integers(0, 8), st.integers(1, 9))
def test_a_wrong_digit_breaks_the_check_digit(routing: str, place: int, by: int) -> None:
    assert is_routing_number(routing)
    wrong = str((int(routing[place]) + by) % 10)
    assert not is_routing_number(routing[:place] + wrong + routing[place + 1 :])


@pytest.mark.parametrize("text", ["", "12345678", "1234567890", "32227177x", "٣٢٢٢٧١٧٧٩"])
def test_only_nine_digits_are_a_routing_number(text: str) -> None:
    assert not is_routing_number(text)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_the_likeliest_valid_number_is_that_of_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = np.zeros((9, 10))
    for row in shares:
        row[rng.choice(10, 3, replace=False)] = rng.dirichlet([1, 1, 1])
    valid = {}
    for digits in product(*(np.nonzero(row)[0] for row in shares)):
        if sum(weight * int(digit) for weight, digit in zip(ABA_WEIGHTS, digits, strict=True)) % 10 == 0:
            valid[digits] = float(np.prod(shares[np.arange(9), digits]))
    found, mass = micr._likeliest_valid(shares)
    assert mass == pytest.approx(sum(valid.values()))
    assert np.prod(shares[np.arange(9), found]) == pytest.approx(max(valid.values()))


@given(st.integers(0, 2**32 - 1), st.integers(3, 5))
@settings(max_examples=25)
def test_the_forward_sum_is_that_of_all_paths(seed: int, cells: int) -> None:
    small = Layout("test", (Part(ON_US), Part(DIGIT, "a", 1, 2), Part("gap"), Part(TRANSIT)))
    chain = chain_of(small)
    likelihoods = np.random.default_rng(seed).random((cells, len(CLASSES)))
    emissions = chain.emissions(likelihoods)
    total = 0.0
    for path in product(range(len(chain.emits)), repeat=cells):
        weight = chain.start[path[0]] * chain.end[path[-1]]
        weight *= np.prod([chain.moves[a, b] for a, b in pairwise(path)])
        total += weight * np.prod(emissions[np.arange(cells), path])
    assert micr._forward(chain, likelihoods) == pytest.approx(np.log(total))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.family}-{'-'.join(layout.fields)}")
def test_chains_lose_no_probability(layout: Layout) -> None:
    chain = chain_of(layout)
    assert chain.start.sum() == pytest.approx(1)
    assert chain.moves.sum(axis=1) + chain.end == pytest.approx(1)


def test_layouts_are_chosen_among_those_asked_for() -> None:
    assert parse(cells_of(US), families=("us",)).family == "us"
    assert parse(cells_of(US), families=("cts2010",)).known < 0.01
    with pytest.raises(InvalidRequest, match="cmc7"):
        parse(cells_of(US), families=("cmc7",))
    with pytest.raises(InvalidRequest, match="known"):
        parse(cells_of(US), families=())


@pytest.mark.parametrize(
    "written", [US, "A322271779A 4192580C 1005", "t322271779t  4192580u 1005", "T322271779T 4192580U1005"]
)
def test_callers_write_the_signs_in_several_ways(written: str) -> None:
    assert parse_text(written).texts() == parse_text(US).texts()


def test_fields_that_differ_are_named() -> None:
    read = parse(cells_of(CTS))
    assert differing(read, parse_text(CTS)) == ()
    assert differing(read, parse_text(CTS.replace("290062", "290063"))) == ("account",)
    assert differing(read, parse_text("")) == ("cheque_number", "routing", "account", "transaction_code")


@given(st.text())
def test_any_text_of_a_callers_is_taken(text: str) -> None:
    assert set(spelled(text)) <= set(SYMBOLS) | {" "}
    parse_text(text)


def windows_of(symbols: list[tuple[int, int]], count: int) -> NDArray[np.float32]:
    """Return the windows' probabilities where (place, class) are shown, each in its own window alone."""
    rows = np.full((count, len(CLASSES)), 1e-4, np.float32)
    rows[:, NONE] = 0.998
    for place, symbol in symbols:
        rows[place] = 1e-4
        rows[place, symbol] = 0.998
    return rows


@given(st.lists(st.tuples(st.integers(-1, 1), st.integers(0, NONE - 1)), min_size=2, max_size=20))
def test_symbols_are_found_though_the_pitch_drifts(drifts: list[tuple[int, int]]) -> None:
    places = np.cumsum([7 + drift for drift, _ in drifts]) + 5
    shown = [(int(place), symbol) for place, (_, symbol) in zip(places, drifts, strict=True)]
    cells = choose_cells(windows_of(shown, int(places[-1]) + 10))
    assert list(zip(cells.windows, cells.probabilities.argmax(axis=1), strict=True)) == shown
    assert cells.probabilities.sum(axis=1) == pytest.approx(1)


def test_gaps_are_as_many_cells_as_they_are_wide() -> None:
    cells = choose_cells(windows_of([(10, 1), (10 + 4 * WINDOWS_A_PITCH, 2)], 60))
    assert cells.probabilities.argmax(axis=1).tolist() == [1, NONE, NONE, NONE, 2]
    wide = choose_cells(windows_of([(10, 1), (800, 2)], 900))
    assert len(wide) == MAX_SPACES + 1


def test_of_two_symbols_in_one_place_the_surer_stays() -> None:
    rows = windows_of([(20, 3)], 60)
    rows[20 + NARROWEST_STEP - 3] = 1e-3
    rows[20 + NARROWEST_STEP - 3, [4, NONE]] = 0.6, 0.386
    cells = choose_cells(rows)
    assert cells.windows == (20,)


def test_no_symbols_make_no_cells() -> None:
    cells = choose_cells(windows_of([], 30))
    assert len(cells) == 0
    assert cells.evidence == 0.0
    assert parse(cells.probabilities).fields == ()
