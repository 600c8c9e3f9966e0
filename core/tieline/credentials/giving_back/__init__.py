"""The time in which something is given back at a provider: nobody is sent to its consent page then."""
