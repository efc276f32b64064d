"""What a song is, heard; and the tune a voice sings over it."""
