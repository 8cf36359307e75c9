"""A Kubernetes cluster as processes of one machine, spoken to with the verbs of kind."""
