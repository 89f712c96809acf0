import pytest

from tests.patterns.tables import Case, case, check

DENIED = "ERROR AccessDenied for prod/db"
ROTATED = "INFO rotation of prod/db finished"
DENIED_TWICE = "WARN AccessDenied  for prod/db"

RECORDED = [
    case("", [DENIED, ROTATED, "x", " "]),
    case("ERROR", [DENIED, "TERROR", "[ERROR]", "ERRORS", "a_ERROR_b"], ["error", "ERRO R", "INFO"]),
    case("prod ERROR", [DENIED, "prodERROR", "ERROR\nprod"], [ROTATED, "prod"]),
    case('"AccessDenied for"', [DENIED], [DENIED_TWICE, "AccessDenied\tfor", "for AccessDenied"]),
    case("?ERROR ?rotation", [DENIED, ROTATED], [DENIED_TWICE, "error"]),
    case("?ERROR ?WARN rotation", [ROTATED], [DENIED, DENIED_TWICE]),
    case("?ERROR -rotation", [DENIED, "INFO"], [ROTATED, "ERROR rotation"]),
    case("AccessDenied -ERROR", [DENIED_TWICE], [DENIED, ROTATED]),
    case('" "', [DENIED, " ", "a b"], ["ab", "a\nb", "a\tb"]),
    case("-ERROR", ["INFO", "error", " "], ["ERROR", "TERROR", "x_ERROR"]),
    case("?ERROR ?WARN -rotation", ["plain", DENIED, DENIED_TWICE], [ROTATED, "ERROR rotation"]),
    case('ERROR -"for prod"', ["ERROR", "ERROR for  prod"], [DENIED, "for prod"]),
    case('"hello-world"', ["a hello-world"], ["hello world"]),
]

DOCUMENTED = [
    case("-ERROR", [ROTATED, "x"], [DENIED]),
    case('"[ERROR]" Exception', ["[ERROR] QueryException"], ["ERROR Exception", "[ERROR]"]),
    case('"ERROR" - "for prod"', ["ERROR"], [DENIED]),
]

REPORTED = [
    # A search for request-id-123-something is empty, without an error (cloudashdev/cloudash#84); ORDER-ITEM-1 was
    # not found before it was put in quotation marks (jorgebastida/awslogs#381; that tool does show refusals).
    case("ORDER-ITEM-1", ["ORDER 2", "REORDER"], ["thread ORDER-ITEM-1", "ORDER-ITEM", "ITEM", "ORDER 1"]),
    case('"ORDER-ITEM-1"', ["thread ORDER-ITEM-1"], ["ORDER 2"]),
    case('ORDER-"ITEM 1"', ["ORDER-ITEM-1"], ["ORDER ITEM 1"]),
    case("?ORDER-ITEM", ["x"], ["ITEM", "ORDER-ITEM"]),
    case('?"for prod" ?"of prod"', [DENIED, ROTATED], ["prod"]),
    case(r'"\\\"level\\\":\\\"error\\\""', [r'{"log":"{\"level\":\"error\"}"}'], ['"level":"error"']),
]

DECIDED = [
    case("   ", [DENIED, "x"]),
    case("  ERROR  ", [DENIED], [ROTATED]),
    case("ERROR\n AccessDenied", [DENIED], ["ERROR"]),
    case("kms.amazonaws.com", ["from kms.amazonaws.com"], ["kms-amazonaws-com"]),
    case(r'"\d"', [r"a \d b"], ["5", "d"]),
    case('"é ☃"', ["é ☃"], ["e ☃"]),
]


@pytest.mark.parametrize("row", RECORDED + DOCUMENTED + REPORTED + DECIDED)
def test_terms_are_substrings(row: Case) -> None:
    check(row)
