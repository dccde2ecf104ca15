"""What people change, in Chromium (by Playwright): stories of a service with a token, and of two replicas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.devices import switch
from promsnmp.snmp.credentials import Version
from tests.support.agents.threads import running
from tests.support.cluster.redis_server import RedisServer
from tests.support.cluster.replica import Replica, running_replicas
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import wait_until
from tests.support.web.browser import WAIT_MS, check_accessible

TOKEN = "a-token-for-tests-in-browsers"
SIGNED = {"authorization": f"Bearer {TOKEN}"}
DESK: ViewportSize = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def agent() -> Iterator[SimulatedAgent]:
    made = SimulatedAgent(switch(ports=4).mib, versions=(Version.V2C,), uptime=100_000)
    with running(made):
        yield made


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """With a token and an empty inventory."""
    settings = {"API_TOKEN": TOKEN, "COLLECTION_INTERVAL": "1000", "DISCOVERY_CRON": "-"}
    with ServiceProcess(tmp_path_factory.mktemp("changes"), env=settings) as made:
        yield made


@pytest.fixture(scope="module")
def context(browser: Browser, service: ServiceProcess) -> Iterator[BrowserContext]:
    """One person, who logs in by the first story."""
    made = opened(browser, service.url)
    yield made
    made.close()


def opened(browser: Browser, url: str, *, has_script: bool = True) -> BrowserContext:
    made = browser.new_context(base_url=url, java_script_enabled=has_script, viewport=DESK)
    made.set_default_timeout(WAIT_MS)
    return made


def log_in(page: Page) -> None:
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")


def test_a_token_is_asked_for_and_the_first_device_is_added(context: BrowserContext, agent: SimulatedAgent) -> None:
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
    page.goto("/devices")
    check_accessible(page)
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong token")
    log_in(page)
    page.wait_for_url("**/devices")
    page.get_by_role("link", name="Add a device").click()
    expect(page.get_by_label("User")).to_be_hidden()
    page.get_by_label("Version").select_option("v3")
    expect(page.get_by_label("User")).to_be_visible()
    page.get_by_label("Version").select_option("v2c")
    page.get_by_label("Name", exact=True).fill("first")
    page.get_by_label("Address", exact=True).fill("127.0.0.1")
    page.get_by_label("Port").fill("no number")
    page.get_by_label("Community").fill("public")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("port: must be a whole number")
    check_accessible(page)
    page.get_by_label("Port").fill(str(agent.port))
    page.get_by_label("Community").fill("public")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Added.")
    expect(page.locator("h1 .state.up")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("button", name="Poll now").click()
    expect(page.get_by_role("status")).to_contain_text("Polled.")
    page.get_by_role("button", name="Detect modules again").click()
    expect(page.get_by_role("status")).to_contain_text("detected again")
    check_accessible(page)
    page.goto("/")
    expect(page.locator(".tiles a").first).to_contain_text("1")
    assert problems == []
    page.close()


def test_two_people_edit_one_device(context: BrowserContext, browser: Browser, service: ServiceProcess) -> None:
    other = opened(browser, service.url, has_script=False)
    mine, theirs = context.new_page(), other.new_page()
    mine.goto("/devices/first")
    mine.get_by_role("link", name="Edit").click()
    theirs.goto(mine.url)
    log_in(theirs)
    for page, location, contact in ((theirs, "Graz", "Grace"), (mine, "Linz", "")):
        page.get_by_label("Location").fill(location)
        if contact:
            page.get_by_label("Contact").fill(contact)
        page.get_by_role("button", name="Save").click()
    expect(theirs.get_by_role("status")).to_have_text("Saved.")
    expect(mine.get_by_role("alert")).to_contain_text("Somebody else has changed this device")
    check_accessible(mine)
    row = mine.get_by_role("row", name="Location")
    assert row.locator("td").all_inner_texts()[1:] == ["Graz", "Linz", "yours"]
    assert mine.get_by_label("Contact").input_value() == "Grace"
    mine.get_by_role("button", name="Save").click()
    expect(mine.get_by_role("status")).to_have_text("Saved.")
    device = service.client.get("/promsnmp/devices/first", headers=SIGNED).json()
    assert (device["sysLocation"], device["sysContact"]) == ("Linz", "Grace")
    mine.close()
    other.close()


def test_many_devices_are_labelled_exported_and_removed(context: BrowserContext, service: ServiceProcess) -> None:
    agent = {"type": "snmp-community", "version": 1, "readCommunity": "x"}
    agents = [{**agent, "endpoint": {"address": f"127.1.0.{at + 1}"}} for at in range(150)]
    first = service.client.get("/promsnmp/devices/first", headers=SIGNED)
    devices = [first.json(), *({"sysName": f"many-{at}", "agents": [one]} for at, one in enumerate(agents))]
    service.client.post("/promsnmp/inventory", json={"devices": devices}, headers=SIGNED)
    page = context.new_page()
    page.goto("/devices?query=many&sort=name")
    page.get_by_label("Select many-3", exact=True).check()
    page.get_by_label("Select many-4", exact=True).check()
    page.get_by_role("button", name="Set labels").click()
    expect(page.get_by_role("heading", name="Set labels of 2 devices")).to_be_visible()
    check_accessible(page)
    page.get_by_label("Labels").fill("rack=7")
    page.get_by_role("button", name="Set labels").click()
    expect(page.get_by_role("status")).to_have_text("Set labels of 2 devices.")
    page.goto("/devices?query=many")
    page.get_by_label("Select all 150 that match").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    assert len(Path(download.value.path()).read_text().splitlines()) == 151
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="Remove 150 devices?")).to_be_visible()
    check_accessible(page)
    page.get_by_role("button", name="Remove 150 devices").click()
    expect(page.get_by_role("status")).to_have_text("Removed 150 devices.")
    assert page.locator("tbody tr").count() == 1
    page.close()


def test_a_file_is_dropped_in_to_be_checked(context: BrowserContext, tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_text("modules:\n  mine:\n    wolk: []\n")
    page = context.new_page()
    page.goto("/modules")
    check_accessible(page)
    page.get_by_label("Check a file").set_input_files(file)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text("mine.yml:3")).to_be_visible()
    check_accessible(page)
    page.goto("/modules")
    page.get_by_role("button", name="Read all files again").click()
    expect(page.get_by_role("status")).to_contain_text("read again")
    page.close()


def test_credentials_are_added_chosen_and_rotated(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/devices")
    page.get_by_role("link", name="Credentials").click()
    page.get_by_role("link", name="Add credentials").click()
    check_accessible(page)
    page.get_by_label("Name", exact=True).fill("campus")
    page.get_by_label("Community").fill("public")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("status")).to_have_text("Added.")
    check_accessible(page)
    page.goto("/devices/first")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Credentials by name").select_option("campus")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="campus").click()
    page.get_by_role("link", name="Change campus").click()
    expect(page.get_by_text("1 device uses them")).to_be_visible()
    check_accessible(page)
    page.get_by_label("Community").fill("rotated")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Changed")
    page.get_by_role("link", name="Remove campus").click()
    expect(page.get_by_text("cannot be removed")).to_be_visible()
    check_accessible(page)
    page.close()


def test_whoever_logs_out_has_to_log_in_again(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/login")
    check_accessible(page)
    page.get_by_role("button", name="Log out").click()
    page.goto("/devices")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.close()


# ----------------------------------------------------------------------------------------------------------- replicas


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as made:
        yield made


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory, redis: RedisServer) -> Iterator[list[Replica]]:
    settings = {
        **redis.env, "API_TOKEN": TOKEN, "COLLECTION_INTERVAL": "60000", "DISCOVERY_CRON": "-",
        "ELECTION_LEASE_DURATION": "3000", "ELECTION_RENEW_INTERVAL": "1000",
    }  # fmt: skip
    with running_replicas(tmp_path_factory.mktemp("replicas"), 2, settings) as made:
        yield made


def test_a_login_at_one_replica_counts_at_all_and_changes_reach_the_leader_and_the_owner(
    browser: Browser, replicas: list[Replica], agent: SimulatedAgent
) -> None:
    leader, follower = sorted(replicas, key=lambda one: not one.leads)
    person = opened(browser, follower.url)
    page = person.new_page()
    page.goto("/add-device")
    log_in(page)
    page.get_by_label("Name", exact=True).fill("shared")
    page.get_by_label("Address", exact=True).fill("127.0.0.1")
    page.get_by_label("Port").fill(str(agent.port))
    page.get_by_label("Community").fill("public")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("status")).to_contain_text("Added.")
    wait_until(lambda: leader.client.get("/promsnmp/devices/shared").status_code == 200)
    for replica in (leader, follower):  # one of them polls the device
        page.goto(f"{replica.url}/devices/shared")
        page.get_by_role("button", name="Poll now").click()
        expect(page.get_by_role("status")).to_contain_text("Polled.")
    page.goto(f"{follower.url}/devices/shared")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Retries").fill("101")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("between 0 and 100")
    page.get_by_label("Retries").fill("2")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    page.goto(f"{follower.url}/devices")
    page.get_by_label("Select shared").check()
    page.get_by_role("button", name="Poll now").click()
    expect(page.get_by_role("status")).to_have_text("1 poll has begun.")
    page.goto(f"{leader.url}/login")
    cookies = {one["name"]: one["value"] for one in person.cookies()}
    page.get_by_role("button", name="Log out").click()
    ended = httpx.get(f"{follower.url}/devices", cookies=cookies)
    assert ended.status_code == 401, "the session has ended at the other replica, too"
    person.close()
    audit = leader.output() + follower.output()
    assert "logged in" in audit
    assert "device added" in audit


def test_the_leader_steps_down_while_somebody_looks(browser: Browser, replicas: list[Replica]) -> None:
    leader, follower = sorted(replicas, key=lambda one: not one.leads)
    person = opened(browser, follower.url)
    page = person.new_page()
    page.goto("/replicas")
    log_in(page)
    leads = page.locator("tr", has=page.locator(".state.leader"))
    expect(leads).to_contain_text(leader.name)
    check_accessible(page)
    page.get_by_role("button", name="Step down").click()
    expect(page.get_by_role("status")).to_contain_text("stepped down")
    expect(leads).to_contain_text(follower.name)
    wait_until(lambda: follower.leads, deadline=30)
    assert "leader stepped down" in leader.output()
    person.close()


def test_without_a_leader_a_change_gets_a_page_that_says_to_retry(
    browser: Browser, replicas: list[Replica], redis: RedisServer
) -> None:
    leader, follower = sorted(replicas, key=lambda one: not one.leads)
    person = opened(browser, follower.url)
    page = person.new_page()
    page.goto("/add-device")
    log_in(page)
    redis.stop()  # nobody can be elected
    leader.process.kill()
    page.get_by_label("Address", exact=True).fill("192.0.2.77")
    page.get_by_label("Community").fill("public")
    with page.expect_navigation(timeout=60_000):
        page.get_by_role("button", name="Add").click(no_wait_after=True)
    expect(page.locator("h1")).to_have_text("Not possible now")
    expect(page.get_by_role("alert")).to_contain_text("no leader available")
    check_accessible(page)
    person.close()
