"""The andon board in a real Chromium: what people see and do, with real failures and nothing else going wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from models.diagnostics import Diagnostic, Note, Span, Suggestion
from models.records import AndonEvent, CompilerErrors, Feedback, Prediction
from models.state import LineState
from models.step import step
from models.warm_start import warm_state

Stage = Callable[..., Any]
WALL, PHONE, SMALLEST = {"width": 1600, "height": 900}, {"width": 390, "height": 844}, {"width": 320, "height": 640}
NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
EVIL = "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>"


async def at_least(locator: Any, number: int) -> None:
    """Return when there are so many of them."""
    await locator.nth(number - 1).wait_for()


def failure(name: str = "one", message: str = "mismatched types", **fields: Any) -> CompilerErrors:
    place = {"file": "src/main.rs", "line_start": 7, "line_end": 7, "column_start": 18, "column_end": 22}
    marked = Span(**place, label=fields.pop("label", "expected `i32`, found `&str`"), text=('    let x: i32 = "no"; ',))
    fix = Suggestion(message="use a number", replacement="7", applicability="MachineApplicable", span=marked)
    one = Diagnostic(
        code="E0308",
        level="error",
        message=message,
        spans=(marked,),
        notes=(Note(level="note", message=fields.pop("note", "in this function")),),
        suggestions=(fix,),
    )
    return CompilerErrors(id=name, time=NOW, project="acme/app", diagnostics=(one,), **fields)


def answer(record: CompilerErrors, state: LineState | None = None) -> Prediction:
    return step(state or LineState(), record, NOW)[0]


def show(service: Any, record: CompilerErrors) -> None:
    service.show(record, answer(record))


async def texts(page: Any, selector: str) -> list[str]:
    found: list[str] = await page.locator(selector).all_text_contents()
    return found


async def sideways(page: Any) -> int:
    """Return how many pixels the page is wider than the window."""
    found: int = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return found


class TestPage:
    def test_shows_what_there_is(self, stage: Stage, made: Any) -> None:
        """The page opens with the newest failures, the lamp, the mix, the accuracy and the state of the line."""

        async def scene(page: Any, service: Any) -> None:
            for record, prediction in made.answered()[0][:300]:
                service.show(record, prediction)
            async with made.worker_of(made.answered()[1], lag=3) as worker:
                service.workers = [worker]
                await page.reload()
                await page.locator("#accuracy tr").first.wait_for()
                assert await page.locator(".row").count() == 60
                await page.locator('#lamp[data-colour="green"]').wait_for()
                assert await page.locator("#lag").text_content() == "3"
                assert await page.locator("#workers").text_content() == "1 of 1"
                assert (await texts(page, "#accuracy th"))[0] == "model"
                assert {"majority", "last label", "code lookup"} <= set(await texts(page, "#accuracy th"))
                assert "TypeErrors" in await texts(page, "#mix th")
                assert (await page.title()).startswith("Green ")

        stage(scene, viewport=WALL)

    def test_is_small_and_its_own(self, stage: Stage) -> None:
        """Everything comes from the service itself, in a few small files, and is painted within a second."""

        async def scene(page: Any, service: Any) -> None:
            await page.locator('#link[data-state="live"]').wait_for()
            await page.wait_for_load_state("load")
            loaded: list[Any] = []
            page.on("request", lambda request: loaded.append(request))  # noqa: PLW0108 - playwright marks what it calls
            await page.reload()
            await page.locator('#link[data-state="live"]').wait_for()
            assert {request.url.split("/")[2] for request in loaded} == {f"127.0.0.1:{service.port}"}
            sizes = await page.evaluate("performance.getEntriesByType('resource').map((one) => one.encodedBodySize)")
            assert sum(sizes) < 60_000
            assert len({request.url for request in loaded}) < 10
            paint, found = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime", []
            for _ in range(3):  # the quickest: the machine may be busy with other tests
                found.append(await (await page.wait_for_function(paint)).json_value())
                await page.reload()
            assert min(found) < 1_000, found

        stage(scene)

    def test_landmarks_and_names(self, stage: Stage) -> None:
        """A screen reader finds banner, main part, named regions, and a lamp that speaks politely."""

        async def scene(page: Any, service: Any) -> None:
            show(service, failure())
            await page.locator(".row").wait_for()
            await page.locator('#lamp[data-colour="green"]').wait_for()
            for role in ("banner", "main"):
                assert await page.get_by_role(role).count() == 1
            for name in ("Lamp: Green", "Line", "Accuracy", "Failures", "Mix of categories", "New kinds of messages"):
                assert await page.get_by_role("region", name=name, exact=True).count() == 1, name
            assert await page.locator("#lamp .say").get_attribute("aria-live") == "polite"
            assert await page.locator("#rows").get_attribute("aria-live") is None  # fifty a second would be a torrent
            assert await page.get_by_role("button", name="mismatched types").count() >= 1

        stage(scene)

    def test_fits_a_phone(self, stage: Stage, made: Any) -> None:
        """On phones, down to 320 pixels, neither the page nor an open failure scrolls sideways."""

        async def scene(page: Any, service: Any) -> None:
            for record, prediction in made.answered()[0][:40]:
                service.show(record, prediction)
            show(service, failure(message="a" * 230, label="b" * 300, note="c" * 300))
            service.light(halted(message="d" * 300))
            for size in (PHONE, SMALLEST):
                await page.set_viewport_size(size)
                await page.reload()
                await page.locator(".row").first.click()
                await page.locator("article").wait_for()
                assert await sideways(page) <= 0
                assert await page.evaluate("dialog.scrollWidth <= dialog.clientWidth")
                await page.keyboard.press("Escape")
                assert await sideways(page) <= 0

        stage(scene, viewport=PHONE)

    def test_follows_the_colour_scheme(self, stage: Stage) -> None:
        """A dark desktop gets a dark page, a light one a light page."""
        brightness = (
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((a, b) => +a + +b, 0)"
        )

        async def scene(page: Any, _: Any) -> int:
            found: int = await page.evaluate(brightness)
            return found

        assert stage(scene, color_scheme="dark") < 150
        assert stage(scene, color_scheme="light") > 600

    def test_moves_nothing_for_who_asks(self, stage: Stage) -> None:
        """With reduced motion a new row appears without an animation; without, it has one."""

        async def scene(page: Any, service: Any) -> None:
            show(service, failure("first"))
            await page.locator(".row").wait_for()
            wanted = ((2, "reduce", "none"), (3, "no-preference", "arrive"))
            for number, motion, expected in wanted:
                await page.emulate_media(reduced_motion=motion)
                show(service, failure(f"number-{number}"))
                row = page.locator(f"li:nth-last-child({number}) .row.arrived")
                assert await row.evaluate("(node) => getComputedStyle(node).animationName") == expected

        stage(scene)


def halted(**fields: Any) -> AndonEvent:
    about = {"kind": "ModelDegradation", "severity": "halt", "message": "the model errs more than it did"}
    place = {"lamp": "red", "partition": 0, "scope": "acme/app", "examples": ("one",)}
    return AndonEvent(**{"id": "e1", "time": NOW, "project": "acme/app", **about, **place, **fields})


class TestLive:
    def test_failure_appears_at_once(self, stage: Stage) -> None:
        """A failure that is answered while the page is open comes to the top by itself, with what it is."""

        async def scene(page: Any, service: Any) -> None:
            show(service, failure("one"))
            await page.locator(".row").wait_for()
            show(service, failure("two", "borrow of moved value: `x`"))
            await page.locator(".row", has_text="borrow of moved value").wait_for()
            assert "borrow of moved value" in (await texts(page, ".row"))[0]
            assert "acme/app" in (await texts(page, ".row"))[0]
            assert "TypeErrors" in (await texts(page, ".row"))[1]

        stage(scene)

    def test_lamp_says_why(self, stage: Stage) -> None:
        """An andon event turns the lamp: colour, shape and word, with reason, advice, and an example to open."""

        async def scene(page: Any, service: Any) -> None:
            show(service, failure("one"))
            service.light(halted(recommendation="Roll back"))
            await page.locator('#lamp[data-colour="red"]').wait_for()
            assert await page.locator("#lamp-word").text_content() == "Red"
            assert await page.locator(".shape.red").is_visible()
            assert not await page.locator(".shape.green").is_visible()
            (why,) = await texts(page, "#lamp-why li")
            assert "the model errs more than it did" in why
            assert "Roll back" in why
            await page.get_by_role("button", name="example 1").click()
            await page.locator("article h3", has_text="mismatched types").wait_for()
            await page.keyboard.press("Escape")
            service.light(halted(transition="resumed", lamp="green", id="e2"))
            await page.locator('#lamp[data-colour="green"]').wait_for()

        stage(scene)

    def test_what_cannot_be_read_is_not_green(self, stage: Stage) -> None:
        """A service that cannot read the line shows an unknown lamp with the reason."""

        async def scene(page: Any, service: Any) -> None:
            await page.locator('#lamp[data-colour="green"]').wait_for()
            service.problems.append("the predictions cannot be read: no broker")
            await page.locator('#lamp[data-colour="unknown"]').wait_for()
            assert "no broker" in (await texts(page, "#lamp-why li"))[0]

        stage(scene)

    def test_comes_back_after_a_restart(self, stage: Stage) -> None:
        """When the service ends the lamp goes out and says so; when it is back the page is live again by itself."""

        async def scene(page: Any, service: Any) -> None:
            show(service, failure("before"))
            await page.locator(".row").wait_for()
            await service.stop()
            await page.locator('#link[data-state="lost"]').wait_for()
            await page.locator('#lamp[data-colour="unknown"]').wait_for()
            assert await page.locator(".row").count() == 1  # what was there stays to be read
            await service.start()
            show(service, failure("after", "cannot find value `y` in this scope"))
            await page.locator('#link[data-state="live"]').wait_for()
            await page.locator('#lamp[data-colour="green"]').wait_for()
            await page.locator(".row", has_text="cannot find value").wait_for()
            assert await page.locator(".row").count() == 2

        stage(scene, faults=["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING"])

    def test_pause_holds_the_list(self, stage: Stage) -> None:
        """Paused, the list stands still and counts what is newer; resumed, it shows it."""

        async def scene(page: Any, service: Any) -> None:
            show(service, failure("one"))
            await page.locator(".row").wait_for()
            pause = page.get_by_role("button", name="Pause")
            await pause.click()
            assert await pause.get_attribute("aria-pressed") == "true"
            show(service, failure("two"))
            await page.locator("#held", has_text="paused, 1 newer").wait_for()
            assert await page.locator(".row").count() == 1
            await pause.click()
            await at_least(page.locator(".row"), 2)

        stage(scene)

    def test_flood_leaves_page_and_service_small(self, stage: Stage, made: Any) -> None:
        """Fifty updates a second for eight seconds: rows, nodes, listeners and heap of the page stay as they were."""

        async def flood(service: Any, number: int) -> None:
            pairs = made.answered()[0]
            for count in range(number):
                record, prediction = pairs[count % len(pairs)]
                name = f"{number}-{count}"
                service.show(
                    record.model_copy(update={"id": name}),
                    prediction.model_copy(update={"id": name, "failure_id": name}),
                )
                await asyncio.sleep(0.02)

        async def measure(page: Any, session: Any) -> dict[str, float]:
            await at_least(page.locator(".row"), 60)
            await session.send("HeapProfiler.collectGarbage")
            found = (await session.send("Performance.getMetrics"))["metrics"]
            return {one["name"]: one["value"] for one in found}

        async def scene(page: Any, service: Any) -> None:
            session = await page.context.new_cdp_session(page)
            await session.send("Performance.enable")
            await flood(service, 150)
            before = await measure(page, session)
            await flood(service, 400)
            last = service.ring.newest(1)[0].failure_id
            assert last == "400-399"
            after = await measure(page, session)
            assert after["Nodes"] < before["Nodes"] + 500
            assert after["JSEventListeners"] < before["JSEventListeners"] + 50
            assert after["JSHeapUsedSize"] < before["JSHeapUsedSize"] + 1_000_000
            assert service.board.log.clients == 1
            assert len(service.board.log._items) <= service.board.log._items.maxlen

        stage(scene)


class TestFailure:
    def test_shows_code_reason_and_fix(self, stage: Stage) -> None:
        """A click on a failure shows its message, the marked code with its label, why it is so, notes, and the fix."""

        async def scene(page: Any, service: Any) -> None:
            record = failure()
            service.show(record, answer(record, warm_state()))
            await page.locator(".row").click()
            await page.locator("article").wait_for()
            assert await texts(page, "article h3") == ["E0308  mismatched types"]
            assert await texts(page, ".verdict b") == ["TypeErrors"]
            assert await texts(page, "mark.primary") == ['"no"']
            assert "src/main.rs:7:18" in (await texts(page, ".place"))[0]
            assert "^^^^ expected `i32`, found `&str`" in (await texts(page, ".under"))[0]
            assert "the message says" in await page.locator("article").inner_text()
            assert "note: in this function" in await texts(page, ".notes li")
            assert (await texts(page, ".drop"))[0].endswith(' let x: i32 = "no"; ')
            assert await texts(page, ".add") == ["+ let x: i32 = 7; "]

        stage(scene)

    def test_contradiction_reaches_the_line(self, stage: Stage) -> None:
        """Saying “it is wrong, it is …” sends the person's verdict with name and reason, and says that it was taken."""

        async def scene(page: Any, service: Any) -> None:
            show(service, failure("ci/run 7".replace(" ", "-")))
            await page.locator(".row").click()
            await page.locator("summary").click()
            await page.get_by_label("it is").select_option("ApiMisuse")
            await page.get_by_label("your name").fill("ada")
            await page.get_by_label("why").fill("it is the crate's")
            await page.get_by_role("button", name="Send").click()
            await page.locator(".said", has_text="Noted: ApiMisuse").wait_for()
            (said,) = service.delivered
            assert isinstance(said, Feedback)
            assert (said.project, said.failure_id, said.index) == ("acme/app", "ci/run-7", 0)
            assert (said.category, said.author, said.comment) == ("ApiMisuse", "ada", "it is the crate's")

        stage(scene)

    def test_token_is_asked_for_and_kept_for_the_tab(self, stage: Stage, made: Any) -> None:
        """Where a token is set, code and feedback need it: asked for, refused when wrong, kept in this tab only."""

        async def scene(page: Any, service: Any) -> None:
            show(service, failure())
            await page.locator(".row").click()
            for given in ("wrong", "s3cret"):
                await page.locator(".said.bad").wait_for()
                await page.locator("input[name=token]").fill(given)
                await page.get_by_role("button", name="Use it").click()
            await page.locator("article").wait_for()
            await page.locator("summary").click()
            await page.get_by_label("it is").select_option("ApiMisuse")
            await page.get_by_role("button", name="Send").click()
            await page.locator(".said", has_text="Noted").wait_for()
            assert len(service.delivered) == 1
            assert await page.evaluate("Object.values(sessionStorage)") != []
            assert await page.evaluate("[Object.keys(localStorage).length, document.cookie]") == [0, ""]

        stage(scene, service=made.Service(token="s3cret"), faults=["401 (Unauthorized)"])  # noqa: S106 - of a test

    def test_script_stays_text(self, stage: Stage) -> None:
        """Markup in a message, label, note, code, fix, toolchain or andon event is shown as text and does nothing."""

        async def scene(page: Any, service: Any) -> None:
            service.light(halted(message=EVIL, kind=EVIL, recommendation=EVIL))
            show(service, failure("evil", EVIL, label=EVIL, note=EVIL, toolchain=EVIL, run=EVIL))
            await page.locator(".row").wait_for()
            await page.locator("#lamp-why li").wait_for()
            assert EVIL in await page.locator(".row").inner_text()
            assert EVIL in await page.locator("#lamp-why").inner_text()
            await page.locator(".row").click()
            await page.locator("article").wait_for()
            assert EVIL in await page.locator("article h3").inner_text()
            assert (await page.locator("dialog").inner_text()).count(EVIL) >= 4
            assert await page.locator("main img, dialog img, main script, dialog script").count() == 0
            assert await page.evaluate("window.pwned") is None

        stage(scene)

    def test_failure_that_is_gone_says_so(self, stage: Stage) -> None:
        """A failure whose record is no longer held is shown as far as its prediction goes."""

        async def scene(page: Any, service: Any) -> None:
            record = failure()
            service.ring.add(answer(record).to_bytes(), int(NOW.timestamp() * 1000))
            await page.locator(".row").click()
            await page.locator(".said.bad", has_text="no longer held").wait_for()
            assert await texts(page, "article h3") == ["E0308  mismatched types"]

        stage(scene)


class TestKeyboard:
    def test_reaches_everything(self, stage: Stage) -> None:
        """Skip link, list by arrow keys, failure by Enter, verdict, and back to the row by Escape: no mouse needed."""

        async def focused(page: Any) -> str:
            found: str = await page.evaluate("document.activeElement.textContent.trim().slice(0, 200)")
            return found

        async def scene(page: Any, service: Any) -> None:
            for name in ("one", "two", "three"):
                show(service, failure(name, f"cannot find value `{name}` in this scope"))
            await at_least(page.locator(".row"), 3)
            press = page.keyboard.press
            await press("Tab")
            assert await focused(page) == "Skip to the failures"
            await press("Enter")
            await press("Tab")  # Pause
            await press("Tab")
            assert "`three`" in await focused(page)
            await press("ArrowDown")
            await press("ArrowDown")
            await press("ArrowUp")
            assert "`two`" in await focused(page)
            await press("Enter")
            await page.locator("article").wait_for()
            assert await focused(page) == "Failed build of acme/app"
            await page.locator("summary").focus()
            await press("Enter")
            await press("Tab")
            await page.keyboard.type("LogicErrors")
            await press("Tab")
            await press("Tab")
            await press("Enter")
            await page.locator(".said", has_text="Noted: LogicErrors").wait_for()
            assert (await focused(page)).startswith("Noted")
            await press("Escape")
            assert "`two`" in await focused(page)
            (said,) = service.delivered
            assert (said.failure_id, said.category) == ("two", "LogicErrors")

        stage(scene)

    def test_focus_stays_in_the_dialog(self, stage: Stage) -> None:
        """While a failure is open, the tab key does not reach what is behind it."""

        async def scene(page: Any, service: Any) -> None:
            show(service, failure())
            await page.locator(".row").click()
            await page.locator("article").wait_for()
            for _ in range(12):
                await page.keyboard.press("Tab")
                inside = "document.activeElement === document.body || dialog.contains(document.activeElement)"
                assert await page.evaluate(inside)

        stage(scene)
