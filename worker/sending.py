"""Sends deliveries to the workers: of a document that was split, and of what the sweeper found waiting."""

from collections.abc import Sequence

from core.errors import BrokerUnavailable
from core.queue import Dispatcher
from storage.records import Delivery
from storage.store import Store


def send_all(store: Store, dispatcher: Dispatcher, deliveries: Sequence[Delivery]) -> int:
    """Send the deliveries in their order; return how many went, fewer than all when the broker went away.

    Raises:
        DatabaseUnavailable: it does not answer.
    """
    # Noted first: once sent, a worker may claim it and queue it again before we are back.
    store.claims.mark_sent(deliveries)
    for count, delivery in enumerate(deliveries):
        try:
            _dispatch(dispatcher, delivery)
        except BrokerUnavailable:
            store.claims.mark_unsent(deliveries[count:])
            return count
    return len(deliveries)


def _dispatch(dispatcher: Dispatcher, delivery: Delivery) -> None:
    if delivery.page_index is None:
        dispatcher.send_document(delivery.document_id, priority=delivery.priority)
    else:
        dispatcher.send_page(delivery.document_id, delivery.page_index, priority=delivery.priority)
