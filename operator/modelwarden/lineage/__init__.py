"""What a version was made from, followed from model to model."""
