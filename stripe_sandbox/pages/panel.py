"""The page from which people watch and control the stand-in."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from stripe_sandbox import faults, journal
from stripe_sandbox.bodies import Json, dumps
from stripe_sandbox.call import Call
from stripe_sandbox.control import deliveries
from stripe_sandbox.errors import ApiError
from stripe_sandbox.messages import Answer, Request
from stripe_sandbox.pages import money_panel
from stripe_sandbox.pages.html import alert, page, redirect, table, time_of
from stripe_sandbox.resources import test_clocks
from stripe_sandbox.store.objects import Page
from stripe_sandbox.webhooks import knobs
from stripe_sandbox.webhooks.courier import Courier

_SHOWN = 50


def answer(call: Call, courier: Courier, request: Request, form: dict[str, str]) -> Answer:
    """Show the panel, or do what one of its forms asks and show it again."""
    if request.method != "POST":
        return _panel(call, None)
    try:
        _act(call, courier, request.path.removeprefix("/_panel/"), form)
    except (ApiError, ValueError) as refusal:
        return _panel(call, str(refusal))
    call.state.news.set()
    return redirect("/")


def _act(call: Call, courier: Courier, action: str, form: dict[str, str]) -> None:
    database = call.state.database
    if action == "drain":
        courier.drain()
        return
    with database.transaction():
        if action == "advance":
            until = datetime.fromisoformat(form.get("until", "")).replace(tzinfo=UTC)
            clock = Call(
                call.state,
                call.base_url,
                params={"frozen_time": int(until.timestamp())},
                args={"test_clock": form.get("clock", "")},
            )
            test_clocks.advance(clock)
        elif action == "fail":
            faults.plan(database, {name: form[name] for name in form if form[name]})
        elif action == "pause":
            knobs.turn(database, {"paused": not knobs.read(database).paused})
        elif action == "resend":
            deliveries.resend(call.state, form)
        elif action == "forget":
            faults.clear(database)
        else:
            money_panel.act(call.state, action, form)


def _panel(call: Call, error: str | None) -> Answer:
    body = f"""{alert(error)}
<p>Ask <code>{escape(call.base_url)}</code> with any key that looks like <code>sk_test_…</code>.
Knobs for tests are under <code>/_control/</code>.</p>
{money_panel.sections(call)}
{_failures(call)}
{_clocks(call)}
{_notifications(call)}
{_requests(call)}"""
    return page("Stand-in for Stripe", body, kind="wide", status=400 if error else 200)


def _failures(call: Call) -> str:
    planned = [
        (escape(f"{one['method']} {one['path']}"), escape(f"{one['action']} {one['moment']}"),
         str(one["times"]))
        for one in faults.standing(call.state.database)
    ]  # fmt: skip
    actions = "".join(
        f'<option value="{value}">{label}</option>'
        for value, label in (
            ("500", "answers 500"),
            ("429", "answers 429"),
            ("cut", "cuts the connection"),
            ("slow", "is slow"),
        )
    )
    return f"""<h2>Failures</h2>
<form method="post" action="/_panel/fail" class="row">
<div><label for="path">Next call of</label><input id="path" name="path" value="/v1/*"></div>
<div><label for="action">does what</label><select id="action" name="action">{actions}</select></div>
<div><label for="moment">when</label><select id="moment" name="moment">
<option value="before">before the work</option><option value="after">after the work</option>
</select></div>
<div><label for="delay">Seconds of delay</label>
<input id="delay" name="delay" inputmode="decimal" value="0"></div>
<button type="submit">Let it fail</button>
</form>
{_planned(planned)}"""


def _planned(rows: list[tuple[str, str, str]]) -> str:
    if not rows:
        return ""
    shown = table("Planned failures", ("Call", "What", "Times"), rows)
    return f'{shown}<div class="row">{_button("forget", "Let nothing fail")}</div>'


def _button(action: str, label: str) -> str:
    return f'<form method="post" action="/_panel/{action}"><button>{label}</button></form>'


def _clocks(call: Call) -> str:
    found, _ = call.state.objects.page(Page(test_clocks.KIND, limit=_SHOWN))
    if not found:
        return ""
    return "<h2>Test clocks</h2>" + "".join(_clock(clock) for clock in found)


def _clock(clock: Json) -> str:
    now = datetime.fromtimestamp(clock["frozen_time"], UTC).strftime("%Y-%m-%dT%H:%M")
    name = escape(clock["name"] or clock["id"])
    return f"""<form method="post" action="/_panel/advance" class="row">
<input type="hidden" name="clock" value="{clock["id"]}">
<div><label for="{clock["id"]}">{name} <small>{escape(clock["status"])}, UTC</small></label>
<input id="{clock["id"]}" name="until" type="datetime-local" value="{now}"></div>
<button type="submit">Advance</button>
</form>"""


def _notifications(call: Call) -> str:
    paused = knobs.read(call.state.database).paused
    found, _ = call.state.objects.page(Page("event", limit=_SHOWN))
    rows = [
        (
            time_of(event["created"]),
            escape(event["type"]),
            f"<code>{escape(str(event['data']['object'].get('id')))}</code>",
            escape(_outcomes(call, event["id"])),
            _resend(event["id"]),
        )
        for event in found
    ]
    return f"""<h2>Events</h2>
<div class="row">
{_button("pause", "Resume delivery" if paused else "Pause delivery")}
{_button("drain", "Deliver now")}
</div>
{table("Newest first", ("Time", "Type", "Object", "Deliveries", ""), rows)}"""


def _outcomes(call: Call, event_id: str) -> str:
    found = deliveries.listed(call.state, {"event": event_id})["data"]
    told = [f"{one['state']} ({one['status'] or one['error'] or 'not tried'})" for one in found]
    return ", ".join(told) or "nobody listens"


def _resend(event_id: str) -> str:
    return (
        '<form method="post" action="/_panel/resend">'
        f'<input type="hidden" name="event" value="{event_id}">'
        '<button class="plain">Resend</button></form>'
    )


def _requests(call: Call) -> str:
    rows = [
        (
            time_of(entry["at"]),
            escape(f"{entry['method']} {entry['path']}"),
            f"<code>{escape(dumps(entry['params']))}</code>",
            escape(f"{entry['status'] or 'cut off'} {entry['error'] or ''}"),
        )
        for entry in journal.read(call.state.database, limit=_SHOWN, newest_first=True)
    ]
    return "<h2>Requests</h2>" + table(
        f"The last {_SHOWN}, newest first", ("Time", "Request", "Parameters", "Answer"), rows
    )
