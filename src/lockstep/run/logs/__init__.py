"""Logs for people and their tools: four streams of JSON lines, written beside a run and never in its way."""
