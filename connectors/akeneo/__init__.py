"""Akeneo PIM (Serenity, 7.0 and later) as the catalogue."""
