"""Whole answers that are kept, as the settings have it."""

from dataclasses import replace

from gateway.http.response_cache import ResponseCache
from gateway.settings import Settings
from upstream.cache import Cache


def keeping(settings: Settings, cache: Cache | None) -> ResponseCache | None:
    """None of the answers outlives an answer of a system that it was made of."""
    told = settings.cache.responses
    if cache is None or not told.enabled:
        return None
    # A link to media in an answer is then good for half of its time at the least.
    seconds = min(told.max_seconds, settings.media.lifetime_seconds / 2)
    kept = ResponseCache(replace(told.limits(), seconds=seconds), cache.clock)
    cache.subscribe(kept.forget)
    return kept
