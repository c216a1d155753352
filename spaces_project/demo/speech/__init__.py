"""What the voices of the demonstration say, as texts and as sound."""
