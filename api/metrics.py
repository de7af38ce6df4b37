"""`/metrics` for Prometheus, counted in SQL when asked, at most once a second: several server processes agree.

The broker is asked no more than whether it answers, and as seldom.
"""

from collections.abc import Iterator

from apiflask import APIBlueprint
from flask import Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from api.openapi import answers, content, refuses
from api.services import Services, services
from core.status import Priority, Status

blueprint = APIBlueprint("metrics", __name__)


class DatabaseCollector(Collector):
    """Counts documents by status and waiting ones by priority."""

    def __init__(self, services: Services) -> None:
        """Count in the database of `services`."""
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """Return the metrics, as of a moment ago."""
        totals = self._services.totals()
        by_status = GaugeMetricFamily("tallyscan_documents", "Documents by status.", labels=["status"])
        for status in Status:
            by_status.add_metric([status], totals.by_status.get(status, 0))
        yield by_status
        waiting = GaugeMetricFamily("tallyscan_documents_queued", "Waiting documents.", labels=["priority"])
        for priority in Priority:
            waiting.add_metric([priority], totals.queued_by_priority.get(priority, 0))
        yield waiting
        yield GaugeMetricFamily(
            "tallyscan_oldest_queued_seconds", "Age of the oldest waiting.", totals.oldest_queued_seconds
        )
        up = self._services.broker_up()
        yield GaugeMetricFamily("tallyscan_broker_up", "Whether the queue's broker answers.", float(up))


@blueprint.get("/metrics")
@refuses(503)
@blueprint.doc(
    responses=answers({200: content(CONTENT_TYPE_PLAIN_0_0_4, {"type": "string"}, description="Prometheus' text.")})
)
def metrics() -> Response:
    """Return counts for Prometheus: totals only, so no key is needed."""
    collectors = CollectorRegistry(auto_describe=False)
    collectors.register(DatabaseCollector(services()))
    return Response(generate_latest(collectors), content_type=CONTENT_TYPE_PLAIN_0_0_4)
