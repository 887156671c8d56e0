"""The SOAP door: GGUS's classic interface, spoken by us."""
