"""Reads: rows into core's values and into what pages and the API show. Nothing is written."""
