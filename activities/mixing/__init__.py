"""Music and voices to a mastered song."""
