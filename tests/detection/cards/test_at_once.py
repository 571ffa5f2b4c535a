"""Several hands with the same card at the same moment end with one set of frames."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest
from django.db import connection

from detection.cards import receive
from detection.cards.ingest import ingest_some
from detection.cards.receipt import receipt
from detection.models import Batch, CardFile, Deployment, Frame
from tests.detection.cards.pictures import jpeg
from tests.factories import make_deployment

HANDS = 4
T = TypeVar("T")
pytestmark = pytest.mark.django_db(transaction=True)


def at_once(work: Callable[[int], T]) -> list[T]:
    """What each hand gets who does `work(number)`, all beginning together."""
    start = Barrier(HANDS)

    def one(number: int) -> T:
        try:
            start.wait(10)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(HANDS) as pool:
        return list(pool.map(one, range(HANDS)))


def hand_over(deployment: Deployment, fingerprint: str) -> int:
    files = {f"{n}.jpg": jpeg(shade=n) for n in range(12)}
    batch = receive.open_batch(
        deployment=deployment,
        source="DCIM",
        user=None,
        fingerprint=fingerprint,
        expected_files=len(files),
    )
    told = [receive.Announced(path, len(data)) for path, data in files.items()]
    rows = receive.announce(batch=batch, files=told)
    for row, data in zip(rows, files.values(), strict=True):
        receive.store(file=row, chunks=[data])
    receive.close_batch(batch=batch, user=None)
    while ingest_some(batch, limit=3):
        pass
    return batch.pk


def test_one_card_in_several_hands_is_one_batch() -> None:
    deployment = make_deployment()
    batches = set(at_once(lambda _: hand_over(deployment, "a" * 64)))
    # Who comes after the closing opens another one, whose pictures are all known.
    assert CardFile.objects.filter(state=CardFile.State.NEW).count() == 12
    assert Frame.objects.count() == 12
    for batch in Batch.objects.filter(pk__in=batches):
        assert receipt(batch)["complete"]


def test_the_same_pictures_on_several_cards_are_one_set_of_frames() -> None:
    deployment = make_deployment()
    batches = at_once(lambda number: hand_over(deployment, str(number) * 64))
    assert len(set(batches)) == HANDS
    assert Frame.objects.count() == 12
    found = [receipt(batch) for batch in Batch.objects.all()]
    assert all(one["complete"] for one in found)
    assert sum(one["new"] for one in found) == 12
    assert sum(one["duplicate"] for one in found) == 12 * (HANDS - 1)
