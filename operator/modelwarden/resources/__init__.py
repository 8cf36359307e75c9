"""The API: one frozen model per kind, from which the CustomResourceDefinitions are generated."""
