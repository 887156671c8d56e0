"""What wakes a lane: a message says only "this system is owed a look". Lost or doubled, it costs time, never truth."""
