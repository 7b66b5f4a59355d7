"""A Pix code as Brazilian banks read it: an EMV string that ends in its own checksum."""

from __future__ import annotations

_POLYNOMIAL = 0x1021


def written(intent_id: str, amount: int) -> str:
    """Return the code that asks for an amount of centavos, once."""
    where = f"pix.stand-in.test/qr/v2/{intent_id}"
    fields = (
        ("00", "01"),
        ("01", "12"),
        ("26", _field("00", "br.gov.bcb.pix") + _field("25", where)),
        ("52", "0000"),
        ("53", "986"),
        ("54", f"{amount // 100}.{amount % 100:02}"),
        ("58", "BR"),
        ("59", "Stand-in"),
        ("60", "Sao Paulo"),
        ("62", _field("05", "***")),
    )
    text = "".join(_field(tag, value) for tag, value in fields) + "6304"
    return f"{text}{checksum(text):04X}"


def checksum(text: str) -> int:
    """Return the CRC-16 (CCITT, from all ones) of a code."""
    result = 0xFFFF
    for byte in text.encode():
        result ^= byte << 8
        for _ in range(8):
            result = (result << 1) ^ (_POLYNOMIAL if result & 0x8000 else 0)
            result &= 0xFFFF
    return result


def _field(tag: str, value: str) -> str:
    return f"{tag}{len(value):02}{value}"
