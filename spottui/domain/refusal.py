"""Errors that tell a person why a request is not carried out."""


class Refused(Exception):
    """A command that the desk will not carry out; the text says why and how to lift it, for people."""


class Misconfigured(Exception):
    """What the configuration says does not fit what was found: nothing starts, with exit 2; the text is for people."""


class Unavailable(Exception):
    """What is needed does not answer now, and may later; the text names it and says why, for people."""


class Ended(Exception):
    """The desk has ended for good; the text says why, for people."""
