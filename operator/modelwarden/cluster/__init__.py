"""The Kubernetes API as this project calls it: one thin layer, raw JSON both ways."""
