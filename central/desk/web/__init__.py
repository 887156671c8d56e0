"""The pages, the health answers and the door for webhooks."""
