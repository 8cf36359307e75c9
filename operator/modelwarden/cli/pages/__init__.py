"""What each verb shows, made of values only: nothing here reads or prints."""
