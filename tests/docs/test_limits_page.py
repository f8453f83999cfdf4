"""The page of limits against the code that it is written from."""

from tests.docs.limits_page import PAGE, UNKNOWN, render

from wigwag.server import Limits
from wigwag.wire import LIMITS


def test_the_page_of_limits_is_what_the_code_says() -> None:
    """A wrong figure is worse than none: an operator plans with it."""
    page = PAGE.read_text("utf-8")
    assert render(page) == page, "run python -m tests.docs.limits_page"
    assert f"| {UNKNOWN} |" not in page, "a setting lacks its words"


def test_a_changed_figure_would_be_noticed() -> None:
    """The comparison must be able to fail."""
    page = PAGE.read_text("utf-8")
    burst = f"| `send_burst` | {Limits().send_burst} |"
    assert page.count(burst) == 1
    assert render(page.replace(burst, "| `send_burst` | 61 |")) == page
    gone = page.replace("| `send_burst` |", "| `send_brust` |")
    assert f"| {UNKNOWN} | {UNKNOWN} |" in render(gone)


def test_every_bound_of_the_specification_is_on_the_page() -> None:
    """Those that can be set among the settings, the others among the fixed ones."""
    page = PAGE.read_text("utf-8")
    assert [name for name in LIMITS if f"`{name}`" not in page] == []
