"""The page from which people watch and control the stand-in."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from paypal_sandbox.errors import PayPalError
from paypal_sandbox.money import stored
from paypal_sandbox.payments import captures, disputes
from paypal_sandbox.records import Find
from paypal_sandbox.state import State
from paypal_sandbox.webhooks import events
from stripe_sandbox import faults, journal
from stripe_sandbox.bodies import Json, dumps
from stripe_sandbox.control import deliveries
from stripe_sandbox.errors import ApiError
from stripe_sandbox.messages import Answer, Request
from stripe_sandbox.pages.html import alert, page, redirect, table
from stripe_sandbox.webhooks import knobs
from stripe_sandbox.webhooks.courier import Courier

_SHOWN = 50
_FAILURES = (("500", "answers 500"), ("429", "answers 429"), ("cut", "cuts the connection"),
             ("slow", "is slow"))  # fmt: skip


def answer(state: State, courier: Courier, request: Request, form: dict[str, str]) -> Answer:
    """Show the panel, or do what one of its forms asks and show it again."""
    if request.method != "POST":
        return _panel(state, None)
    try:
        _act(state, courier, request.path.removeprefix("/_panel/"), form)
    except (ApiError, PayPalError) as refusal:
        return _panel(state, str(refusal))
    state.news.set()
    return redirect("/")


def _act(state: State, courier: Courier, action: str, form: dict[str, str]) -> None:
    if action == "drain":
        courier.drain()
        return
    with state.database.transaction():
        match action:
            case "fail":
                faults.plan(state.database, {name: form[name] for name in form if form[name]})
            case "forget":
                faults.clear(state.database)
            case "pause":
                knobs.turn(state.database, {"paused": not knobs.read(state.database).paused})
            case "resend":
                events.resend(state, form.get("event", ""))
            case "settle" | "dispute":
                _act_on_capture(state, action, form)
            case "decide":
                _decide(state, form)


def _act_on_capture(state: State, action: str, form: dict[str, str]) -> None:
    capture = state.records.get(captures.KIND, form.get("capture", ""))
    if capture is None:
        return
    if action == "settle":
        captures.settle(state, capture, form.get("status", "completed"))
    else:
        amount = stored(capture["amount"])
        disputes.open_case(state, capture, disputes.REASONS[0], amount)


def _decide(state: State, form: dict[str, str]) -> None:
    dispute = state.records.get(disputes.KIND, form.get("dispute", ""))
    if dispute:
        disputes.decide(state, dispute, for_buyer=form.get("outcome") == "buyer")


def _panel(state: State, error: str | None) -> Answer:
    body = f"""{alert(error)}
<p>Ask <code>{escape(state.base_url)}</code> with any client id and secret, unless it was started
with its own. Knobs for tests are under <code>/_control/</code>.</p>
{_failures(state)}
{_captures(state)}
{_disputes(state)}
{_events(state)}
{_requests(state)}"""
    return page("Stand-in for PayPal", body, kind="wide", status=400 if error else 200)


def _failures(state: State) -> str:
    planned = [
        (escape(f"{one['method']} {one['path']}"), escape(f"{one['action']} {one['moment']}"),
         str(one["times"]))
        for one in faults.standing(state.database)
    ]  # fmt: skip
    actions = "".join(f'<option value="{name}">{label}</option>' for name, label in _FAILURES)
    shown = table("Planned failures", ("Call", "What", "Times"), planned) if planned else ""
    return f"""<h2>Failures</h2>
<form method="post" action="/_panel/fail" class="row">
<div><label for="path">Next call of</label><input id="path" name="path" value="/v2/*"></div>
<div><label for="action">does what</label><select id="action" name="action">{actions}</select></div>
<div><label for="moment">when</label><select id="moment" name="moment">
<option value="before">before the work</option><option value="after">after the work</option>
</select></div>
<button type="submit">Let it fail</button>
</form>
{shown}{_button("forget", "Let nothing fail") if planned else ""}"""


def _captures(state: State) -> str:
    rows = [
        (
            escape(one["create_time"]),
            f"<code>{one['id']}</code>",
            escape(f"{one['amount']['value']} {one['amount']['currency_code']}"),
            escape(one["status"]),
            _choices(one),
        )
        for one in state.records.find(Find(captures.KIND, limit=_SHOWN))
    ]
    heads = ("Time", "Capture", "Amount", "Status", "")
    return f"<h2>Payments</h2>{table('Newest first', heads, rows)}"


def _choices(capture: Json) -> str:
    about = {"capture": capture["id"]}
    if capture["status"] == "PENDING":
        done = _button("settle", "Complete", about | {"status": "completed"})
        return done + _button("settle", "Decline", about | {"status": "declined"})
    return _button("dispute", "Dispute", about) if capture["status"] == "COMPLETED" else ""


def _disputes(state: State) -> str:
    rows = []
    for one in state.records.find(Find(disputes.KIND, limit=_SHOWN)):
        about = {"dispute": one["dispute_id"]}
        choices = "" if one["status"] == "RESOLVED" else (
            _button("decide", "For the seller", about | {"outcome": "seller"})
            + _button("decide", "For the buyer", about | {"outcome": "buyer"})
        )  # fmt: skip
        rows.append((escape(one["create_time"]), f"<code>{one['dispute_id']}</code>",
                     escape(one["status"]), choices))  # fmt: skip
    if not rows:
        return ""
    return "<h2>Cases</h2>" + table("Newest first", ("Time", "Case", "Status", ""), rows)


def _events(state: State) -> str:
    paused = knobs.read(state.database).paused
    rows = [
        (
            escape(one["create_time"]),
            escape(one["event_type"]),
            escape(_outcomes(state, one["id"])),
            _button("resend", "Resend", {"event": one["id"]}),
        )
        for one in state.records.find(Find(events.KIND, limit=_SHOWN))
    ]
    return f"""<h2>Events</h2>
<div class="row">
{_button("pause", "Resume delivery" if paused else "Pause delivery")}
{_button("drain", "Deliver now")}
</div>
{table("Newest first", ("Time", "Type", "Deliveries", ""), rows)}"""


def _outcomes(state: State, event_id: str) -> str:
    found = deliveries.listed(state, {"event": event_id})["data"]
    told = [f"{one['state']} ({one['status'] or one['error'] or 'not tried'})" for one in found]
    return ", ".join(told) or "nobody listens"


def _requests(state: State) -> str:
    rows = [
        (
            datetime.fromtimestamp(entry["at"], UTC).strftime("%Y-%m-%d %H:%M:%S"),
            escape(f"{entry['method']} {entry['path']}"),
            f"<code>{escape(dumps(entry['params']))}</code>",
            escape(f"{entry['status'] or 'cut off'} {entry['error'] or ''}"),
        )
        for entry in journal.read(state.database, limit=_SHOWN, newest_first=True)
    ]
    return "<h2>Requests</h2>" + table(
        f"The last {_SHOWN}, newest first", ("Time", "Request", "Parameters", "Answer"), rows
    )


def _button(action: str, label: str, values: dict[str, str] | None = None) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in (values or {}).items()
    )
    return f'<form method="post" action="/_panel/{action}">{hidden}<button>{label}</button></form>'
