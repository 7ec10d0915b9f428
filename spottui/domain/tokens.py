"""ClientTokens and names that are the same whenever they are made again."""

import hashlib


def client_token(interruption_id: str, action: str, attempt: int = 0) -> str:
    """Return the ClientToken of one mutating call: at most 64 ASCII characters (docs/alibaba-facts.md 4.4).

    Made from the interruption, the API action and the attempt, so that a restart says the same token; a definite
    refusal moves on to the next attempt and so to a new token.
    """
    return hashlib.sha256(f"{interruption_id}|{action}|{attempt}".encode()).hexdigest()[:48]


def image_name(source: str) -> str:
    """Return the name of the images of a source, `region.instance`: a letter first, letters, digits, `-` and `_`.

    2 to 128 characters. It is the same in every journal: of two who make the image of one instance at once the cloud
    refuses the second, since the name is taken (`InvalidImageName.Duplicated`, docs/alibaba-facts.md 3.1).
    """
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in source)
    return f"spottui-{safe}"[:128]
