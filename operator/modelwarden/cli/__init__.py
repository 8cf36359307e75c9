"""kubectl model: what people and pipelines ask and do with their own login."""
