"""What watches the cluster and hands keys to the queue: the only home of kopf."""
