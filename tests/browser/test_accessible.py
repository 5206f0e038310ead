"""The page by the rules of axe: nothing serious on any page, light or dark, wide or narrow."""

from __future__ import annotations

import pytest

from rlscale.serve import VIEWS

GRAVE = ("serious", "critical")


@pytest.mark.parametrize(("scheme", "rules"), [("light", None), ("dark", ["color-contrast"])])
def test_no_page_shuts_people_out(bundled, opened, waiting, scheme, rules):
    from axe_playwright_python.sync_playwright import Axe

    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    axe, grave = Axe(), []
    every = [f"/?view={view}" for view in VIEWS]
    page = opened(bundled, color_scheme=scheme)
    for address in every:
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(bundled + address)
        waiting.live(page)
        if address == every[1]:
            waiting.plotted(page)
        for width in (1280, 390) if address in every[:2] else (1280,):
            page.set_viewport_size({"width": width, "height": 900})
            grave += [(address, width, *each) for each in _grave(axe.run(page, options=options))]
    assert grave == []


def test_what_shuts_people_out_is_found(bundled, opened):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(f"{bundled}/?view=run")
    page.evaluate("document.querySelector('h1').style.color = '#ddd'")
    page.evaluate("document.querySelector('label[for=slider]').remove()")
    assert {rule for rule, _, _ in _grave(Axe().run(page))} >= {"label", "color-contrast"}


def _grave(results) -> list[tuple[str, str, str]]:
    return [
        (each["id"], node["html"][:160], node["failureSummary"][:300])
        for each in results.response["violations"] if each["impact"] in GRAVE for node in each["nodes"][:3]
    ]  # fmt: skip
