"""Why something that a person asked for is not done."""


class Refused(Exception):
    """A command that the desk will not carry out; the text says why and how to lift it, for people."""


class Ended(Exception):
    """The desk can show and do nothing any more, for good; the text says why, for people."""
