"""The site builds without a warning, every link leads somewhere, it needs no other host, and everybody can use it."""

import ast
import time
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

import ddpg
from ddpg.command.command import COMMANDS
from tests.helpers.pages import ROOT, Page, code_spans
from tests.helpers.site import Links, build, open_browser

PAGES_TO_LOOK_AT = (
    "index.html",
    "tutorial.html",
    "equations.html",
    "reference/agent.html",
    "commands/train.html",
    "play/index.html",
)


# What is written by hand, and must be complete


def test_the_table_of_commands_has_every_command():
    table = Page("docs/commands.md").table("in a checkout", "installed", "what it does")
    listed = {row["installed"].strip("`"): code_spans(row["in a checkout"])[0] for row in table if row["installed"]}
    assert listed == {name: f"{' '.join(words)} --help" for name, words in COMMANDS.items()}


def test_the_reference_names_everything_that_the_package_exports():
    table = Page("docs/reference.md").table("names", "what they are")
    assert sorted(name for row in table for name in code_spans(row["names"])) == sorted(ddpg.MODULES)


def test_every_equation_has_its_formula():
    """The headings of the page name the functions, and all of them: the reference takes its formulas from there."""
    tree = ast.parse((ROOT / "ddpg" / "equations.py").read_text(encoding="utf-8"))
    functions = {f"ddpg.equations.{node.name}" for node in tree.body if isinstance(node, ast.FunctionDef)}
    sections = Page("docs/equations.md").text.split("\n## ")[1:]
    with_formula = {code_spans(section)[0] for section in sections if "\n$$" in section}
    own = {f"ddpg.equations.{name}" for name in ("action_penalty", "imitation_loss")}  # in neither post
    assert functions - own <= with_formula


# The built site


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder, start = tmp_path_factory.mktemp("clone"), time.monotonic()
    done = build(folder)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == ""
    assert time.monotonic() - start < 120
    return folder / "site"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_link_and_anchor_of_the_built_pages_leads_somewhere(site):
    pages = {path: Links(path) for path in site.rglob("*.html")}
    assert len(pages) > 40
    dead = []
    for path, page in pages.items():
        for link in (*page.links, *page.loads):
            parts = urlparse(link)
            if parts.scheme in ("http", "https", "data"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = target.is_file() and (not parts.fragment or target.suffix != ".html")
            if not known and not (target in pages and unquote(parts.fragment) in pages[target].anchors):
                dead.append(f"{path.relative_to(site)}: {link}")
    assert not dead


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_reference_has_every_equation_with_its_formula(site):
    page = site / "reference" / "equations.html"
    functions = {heading.partition("`")[0] for heading in Page("docs/equations.md").text.split("`ddpg.equations.")[1:]}
    assert {f"ddpg.equations.{name}" for name in functions} <= Links(page).anchors
    assert page.read_text(encoding="utf-8").count("<math") >= 6


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_page_loads_anything_from_another_host(site):
    """Pages link to papers, of course; but what a page is made of lies beside it."""
    for path in site.rglob("*.html"):
        assert not [load for load in Links(path).loads if urlparse(load).scheme in ("http", "https")], path


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (requirements-docs.txt)"
    )
    with playwright.sync_playwright() as started:
        opened = open_browser(started)
        yield opened
        opened.close()


@pytest.fixture
def page(browser):
    """A page that remembers what was said on its console and what it asked for."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.complaints, opened.requests = [], []
    opened.on(
        "console", lambda message: message.type in ("error", "warning") and opened.complaints.append(message.text)
    )
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.on("request", lambda request: opened.requests.append(request.url))
    yield opened
    opened.close()


def results(page) -> list[str]:
    """Return the titles that a search has found, once it is finished: they appear one after another."""
    page.get_by_text("Search finished").wait_for(timeout=60_000)
    return page.locator("#search-results li > a").all_inner_texts()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_search_finds_a_word_from_the_disk(site, page):
    page.goto((site / "index.html").as_uri())
    page.locator("input[name=q]").first.fill("terminated")
    page.keyboard.press("Enter")
    found = results(page)
    assert found[0] == "Words > Terminated"
    assert "DDPG, step by step" in found[:4]
    assert not page.complaints
    assert all(urlparse(url).scheme in ("file", "data") for url in page.requests)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("question", "answer"), [
    ("off-policy", "Words > Off-policy"),
    ("behavior policy", "Words > Behavior policy"),
    ("curse of dimensionality", "Words > Curse of dimensionality"),
    ("iid", "Words"),
    ("target networks", "DDPG, step by step > 5. Why target networks?"),
    ("relu probability", "Where the code differs from the second post, and what the paper leaves open"),
    ("soft update", "ddpg.equations.soft_update"),
    ("time limit", "When it does not learn > Time limits"),
    ("exit code", "DDPG, the reference > Exit codes"),
    ("resume", "Checkpoints, and what a run survives"),
    ("choose tau", "Questions"),
    ("reward curve jumps", "Questions"),
    ("actor loss sign", "Questions"),
    ("lambda MolGAN", "Questions"),
    ("own environment", "Questions"),
    ("discrete actions", "Questions"),
    ("continue training after a crash", "Questions > How do I continue training after a crash?"),
    ("Ornstein-Uhlenbeck or Gaussian", "Questions > Ornstein-Uhlenbeck or Gaussian noise?"),
    ("two target networks", "Questions > Why two target networks?"),
    ("pause training", "Questions"),
    ("anneal noise", "Questions"),
    ("q_mean", "Questions"),
    ("offline", "Questions"),
    ("prioritized replay", "Questions"),
])  # fmt: skip
def test_what_a_student_asks_is_answered_by_one_search(site, page, question, answer):
    page.goto(f"{(site / 'search.html').as_uri()}?q={question.replace(' ', '+')}")
    assert answer in results(page)[:3]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES_TO_LOOK_AT)
def test_pages_are_accessible_in_light_and_in_dark(site, page, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page.emulate_media(color_scheme=scheme)
    page.goto((site / name).as_uri())
    assert not page.complaints  # before axe reads the style sheets, which it may not from the disk
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
