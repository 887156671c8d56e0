"""The engine of every product that a profile describes: what REST and SOAP have in common. How a request is said is the
`voice` of its family; what data cannot say, a few `quirks` do."""
