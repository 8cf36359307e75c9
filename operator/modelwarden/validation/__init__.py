"""Judges an artifact inside a gate's pod: reads what is in the file, and runs nothing of it."""
