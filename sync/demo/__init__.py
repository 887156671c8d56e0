"""The demo: interdesk between two emulated trackers, and a story that people play in them."""
