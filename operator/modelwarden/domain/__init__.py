"""What is decided, and why: pure rules over frozen facts, standard library only."""
