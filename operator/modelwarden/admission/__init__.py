"""Admission: what is refused and what is stamped at the API server's door. It never writes."""
