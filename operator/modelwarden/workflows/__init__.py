"""One reconcile of one Model: gather, decide, record, apply, report."""
