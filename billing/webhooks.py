"""Notifications come in: verify, store once, 2xx; a worker does the rest."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing import clock, tasks
from billing.gateways import registry
from billing.gateways.base import BadSignatureError
from billing.services import gateway_events


@csrf_exempt
@require_POST
def receive(request: HttpRequest, gateway: str) -> HttpResponse:
    """Take a gateway's notification. 400 if it is not the gateway's, 404 for no such gateway."""
    vendor = registry.offered().get(gateway)
    if vendor is None:
        return JsonResponse({"detail": "There is no such gateway."}, status=404)
    try:
        notification = vendor.parse_event(request.body, request.headers)
    except BadSignatureError as error:
        return JsonResponse({"detail": str(error)}, status=400)
    event_id = gateway_events.receive(notification, gateway=gateway, now=clock.now())
    if event_id is not None:
        tasks.soon(tasks.handle_gateway_event, event_id=str(event_id))
    return HttpResponse(status=204)
