"""How much room a text takes in a picture. Pure."""

import unicodedata


def text_width(text: str, size: float) -> float:
    """About how wide a text is in a font of this size: generous, for nobody knows the font."""
    return sum(size if unicodedata.east_asian_width(character) in "WF" else size * 0.6 for character in text)


def fitting(text: str, width: float, size: float) -> str:
    """The text, or as much of its beginning as finds room."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(f"{text}…", size) > width:
        text = text[:-1]
    return f"{text}…"
