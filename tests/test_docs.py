"""The page "How far to trust it" says what was measured: it is what the generator makes of the committed numbers."""

import copy
import json
import re

import pytest
from benchmarks import trust_page


@pytest.fixture(scope="module")
def measured():
    return json.loads(trust_page.RESULTS.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("template", "path"), trust_page.PAGES.items())
def test_the_page_is_what_the_numbers_make(measured, template, path):
    assert path.read_text(encoding="utf-8") == trust_page.page(measured, template), (
        "out of date: run python -m benchmarks.trust_page"
    )


@pytest.mark.parametrize("template", trust_page.PAGES)
def test_every_number_comes_from_the_results(measured, template):
    changed = copy.deepcopy(measured)
    for benchmark in changed["benchmarks"]:
        for table in benchmark["tables"]:
            table["rows"] = [[row[0], *(re.sub(r"\d", "8", cell) for cell in row[1:])] for row in table["rows"]]
        for check in benchmark["checks"]:
            for words in ("measured", "target"):
                check[words] = re.sub(r"\d", "8", check[words])
    assert len(re.findall(r"\b\d\.\d{4}\b", trust_page.page(measured, template))) > 100
    assert set(re.findall(r"\b\d\.\d{4}\b", trust_page.page(changed, template))) == {"8.8888"}


@pytest.mark.parametrize("template", trust_page.PAGES)
def test_no_machine_is_named(measured, template):
    text = trust_page.page(measured, template)
    assert any(benchmark["cpu"] in text for benchmark in measured["benchmarks"])
    assert not re.search(r"(?<![\w.`(/])/(home|work|tmp|root|usr|var|mnt|opt)\b|localhost|\.local\b", text)


def test_what_is_not_measured_is_said(measured):
    less = {**measured, "benchmarks": [one for one in measured["benchmarks"] if one["name"] != "sbc"]}
    with pytest.raises(ValueError, match=r"^results\.json has no measurement of sbc; run python -m benchmarks"):
        trust_page.page(less, "trust_page.md.j2")


def test_a_table_that_is_not_there_is_said(measured):
    with pytest.raises(ValueError, match=r"^results\.json has no table 'nothing' of forecast; "):
        trust_page.Results(measured).rows("forecast", "nothing")
