"""Tells readers of a PDF that its attachment is a Factur-X invoice, in the PDF's own metadata.

Typst attaches the file but writes no metadata of others (XMP). They are added as PDF means it: by
an update at the file's end that replaces the one object, and leaves all other bytes as they were.
"""

from __future__ import annotations

import re
from typing import Final

_CATALOG: Final = re.compile(rb"/Type/Catalog\b[^\n]*?/Metadata (\d+) 0 R")
_TRAILER: Final = re.compile(rb"trailer\s*<<(.+?)>>\s*startxref\s+(\d+)\s+%%EOF\s*$", re.DOTALL)
_BAG: Final = b"</rdf:Bag></pdfaExtension:schemas>"
_END: Final = b"</rdf:RDF>"
_NAMESPACE: Final = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
# A credit note is an INVOICE too.
_SAID: Final = {
    "DocumentType": ("INVOICE", "The kind of document that the file is"),
    "DocumentFileName": ("factur-x.xml", "The name of the embedded file"),
    "Version": ("1.0", "The version of the standard that the file follows"),
    "ConformanceLevel": ("EN 16931", "The profile of the standard that the file follows"),
}


def declare(pdf: bytes) -> bytes:
    """The same PDF, which says what its attachment is.

    :raises ValueError: if it is not laid out as Typst lays out PDF/A.
    """
    catalog, trailer = _CATALOG.search(pdf), _TRAILER.search(pdf)
    if catalog is None or trailer is None:
        raise ValueError("The PDF has no catalogue with metadata, or no plain trailer.")
    number = int(catalog[1])
    stream = _declared(_stream(pdf, number))
    start = len(pdf) + 1
    header = b"%d 0 obj\n<</Type/Metadata/Subtype/XML/Length %d>>\nstream\n" % (number, len(stream))
    body = header + stream + b"\nendstream\nendobj\n"
    update = (
        b"xref\n0 1\n0000000000 65535 f\r\n%d 1\n%010d 00000 n\r\n" % (number, start)
        + b"trailer\n<<%s/Prev %d>>\n" % (trailer[1].strip(), int(trailer[2]))
        + b"startxref\n%d\n%%%%EOF\n" % (start + len(body))
    )
    return pdf + b"\n" + body + update


def _stream(pdf: bytes, number: int) -> bytes:
    """What stands in an object that is not compressed."""
    found = re.search(rb"\n%d 0 obj\b.+?\bstream\n(.+?)\nendstream" % number, pdf, re.DOTALL)
    if found is None or b"/Filter" in found[0].partition(b"stream\n")[0]:
        raise ValueError("The metadata cannot be read.")
    return found[1]


def _declared(packet: bytes) -> bytes:
    if packet.count(_BAG) != 1 or packet.count(_END) != 1:
        raise ValueError("The metadata have no place for another schema.")
    schema = _SCHEMA.format(namespace=_NAMESPACE, properties="".join(map(_property, _SAID)))
    values = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, (value, _) in _SAID.items())
    said = f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">{values}</rdf:Description>'
    return packet.replace(_BAG, schema.encode() + _BAG).replace(_END, said.encode() + _END)


def _property(name: str) -> str:
    return _PROPERTY.format(name=name, description=_SAID[name][1])


_SCHEMA: Final = (
    '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema'
    "</pdfaSchema:schema><pdfaSchema:namespaceURI>{namespace}</pdfaSchema:namespaceURI>"
    "<pdfaSchema:prefix>fx</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq>"
    "</pdfaSchema:property></rdf:li>"
)
_PROPERTY: Final = (
    '<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>'
    "<pdfaProperty:valueType>Text</pdfaProperty:valueType>"
    "<pdfaProperty:category>external</pdfaProperty:category>"
    "<pdfaProperty:description>{description}</pdfaProperty:description></rdf:li>"
)
