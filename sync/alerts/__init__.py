"""What is wrong, whom it concerns, and that they are told: once per episode, and once that it is over."""
