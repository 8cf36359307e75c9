"""Modelwarden: a model registry in Kubernetes whose lifecycle stages are gates."""

__version__ = "0.1.0"
