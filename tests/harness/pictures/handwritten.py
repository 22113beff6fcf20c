"""Pages written by hand, on which text shows through something else: a mask, a pattern, a note."""

from random import Random


def _raw(content: str, **resources: str) -> bytes:
    """A page written by hand, with a stream of content and the streams that it uses: name -> dictionary|content."""
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        _stream("<<>>", content),
    ]
    used: dict[str, int] = {}
    for name, resource in resources.items():
        dictionary, _, stream = resource.partition("|")
        for known, number in used.items():
            dictionary = dictionary.replace(f"@{known}", f"{number} 0 R")
        objects.append(_stream(dictionary, stream) if stream else dictionary)
        used[name] = len(objects)
    kinds = {"X": "XObject", "G": "ExtGState", "P": "Pattern"}
    of_kinds = "".join(
        f"/{kind}<<{''.join(f'/{name} {number} 0 R' for name, number in used.items() if name.startswith(letter))}>>"
        for letter, kind in kinds.items()
    )
    annotations = "".join(f"{number} 0 R " for name, number in used.items() if name.startswith("A"))
    objects[2] = (
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Annots[{annotations}]"
        f"/Resources<</Font<</F 4 0 R>>{of_kinds}>>>>"
    )
    file, places = "%PDF-1.7\n", []
    for number, one in enumerate(objects, 1):
        places.append(f"{len(file):010} 00000 n \n")
        file += f"{number} 0 obj\n{one}\nendobj\n"
    table = f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n{''.join(places)}"
    return f"{file}{table}trailer\n<</Root 1 0 R/Size {len(places) + 1}>>\nstartxref\n{len(file)}\n%%EOF\n".encode()


def _stream(dictionary: str, content: str) -> str:
    return f"{dictionary.removesuffix('>>')}/Length {len(content)}>>stream\n{content}\nendstream"


_FORM = "<</Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F 4 0 R>>>>"


def soft_mask(text: str) -> bytes:
    return _masked_by(text, "/G1 gs 0 g 100 500 400 100 re f")


def soft_mask_of_a_form(text: str) -> bytes:
    return _masked_by(text, "/G1 gs /X2 Do")


def _masked_by(text: str, content: str) -> bytes:
    shape = f"BT /F 60 Tf 1 g 110 520 Td ({text}) Tj ET"
    return _raw(
        content,
        X1=f"{_FORM}/Group<</S/Transparency/CS/DeviceGray>>>>|{shape}",
        G1="<</Type/ExtGState/SMask<</S/Luminosity/G @X1>>>>",
        X2=f"{_FORM}>>|0 g 100 500 400 100 re f",
    )


def clip_of_a_form(text: str) -> bytes:
    steps = " ".join(f"{100 + 20 * step} {500 + Random(f'{text}{step}').randrange(2) * 90} l" for step in range(20))
    return _raw(f"q 100 490 m {steps} 500 490 l W n /X1 Do Q", X1=f"{_FORM}>>|0 g 100 400 400 200 re f")


def pattern(text: str) -> bytes:
    tile = f"BT /F 60 Tf 0 g 10 20 Td ({text}) Tj ET"
    of_tile = "/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 500 100]/XStep 500/YStep 100"
    return _raw(
        "/Pattern cs /P1 scn 100 500 400 100 re f",
        P1=f"<</Type/Pattern{of_tile}/Resources<</Font<</F 4 0 R>>>>>>|{tile}",
    )


def stamp(text: str) -> bytes:
    return _raw(
        "0 g 100 100 300 100 re f",
        X1=f"{_FORM}>>|BT /F 60 Tf 0 g 110 520 Td ({text}) Tj ET",
        A1="<</Type/Annot/Subtype/Stamp/Rect[0 0 595 842]/F 4/AP<</N @X1>>>>",
    )
