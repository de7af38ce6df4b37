"""Pages of a form in what the service answers: in order, and what is missing beside them."""

import dataclasses

from core.types import FormPage, PageReading, Registration, ToldBy
from tests.api.conftest import PAGE, Caller, Service, scan


def page(index: int, number: int) -> PageReading:
    told = FormPage("slip", number, of=3, told_by=ToldBy.CODE)
    return dataclasses.replace(PAGE, index=index, registration=Registration("markers", 0.3, told))


def test_a_document_comes_in_order_and_says_what_is_missing(service: Service, caller: Caller) -> None:
    batch = caller.post("/v1/batches", data={"name": "monday"}).get_json()
    sent = caller.submit(scan(1), batch=batch["id"]).get_json()
    assert sent["notes"] == []
    service.read(sent["id"], page(0, 3), page(1, 1))
    document = caller.get(f"/v1/documents/{sent['id']}").get_json()
    assert [each["index"] for each in document["pages"]] == [1, 0]
    assert document["pages"][0]["registration"]["form_page"] == {
        "form": "slip",
        "number": 1,
        "of": 3,
        "told_by": "code",
    }
    (note,) = document["notes"]
    assert (note["code"], note["form_page"], note["pages"]) == ("page_missing", 2, [0, 1])
    table = caller.get(f"/v1/batches/{batch['id']}/results.csv").get_data(as_text=True)
    assert table.splitlines()[-1].endswith(",,,page,2,,,false,page_missing")
