"""Deliberate work over many tickets: started by a person, carried out in bounded steps, resumed after any crash."""
