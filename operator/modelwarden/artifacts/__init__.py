"""Reads and writes artifacts where they are kept: in S3, or in a folder of this machine."""
