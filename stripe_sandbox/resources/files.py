"""Files: their names, sizes and types, and nothing of what is in them."""

from __future__ import annotations

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed

_EVIDENCE = ("pdf", "jpg", "png")
_LARGEST_EVIDENCE = 5_000_000


@operation("POST", "/v1/files")
def create(call: Call) -> Json:
    """Note that a file was uploaded."""
    errors.not_yet(call.params, ("file_link_data",))
    file = call.params["file"]
    if not isinstance(file, dict) or not {"filename", "size", "type"} <= file.keys():
        raise errors.ApiError(
            "Upload the file as multipart/form-data, in the field `file`.", param="file"
        )
    size = int(file["size"])
    if call.params["purpose"] == "dispute_evidence":
        _require_evidence(file["type"], size)
    body = {
        "id": ids.new("file"),
        "filename": file["filename"],
        "purpose": call.params["purpose"],
        "size": size,
        "type": file["type"] or None,
    }
    return call.create("file", body, event="file.created")


@operation("GET", "/v1/files/{file}")
def retrieve(call: Call) -> Json:
    """Return what is known of a file."""
    return call.target("file")


@operation("GET", "/v1/files")
def list_all(call: Call) -> Json:
    """Return files, newest first."""
    return listed(call.state.objects, "file", call.params, url=call.path)


def _require_evidence(kind: str, size: int) -> None:
    if kind not in _EVIDENCE:
        raise errors.ApiError(
            "The file type you uploaded is not supported for dispute evidence. Upload a PDF, "
            "JPEG or PNG.",
            param="file",
        )
    if size > _LARGEST_EVIDENCE:
        raise errors.ApiError(
            f"The file is larger than {_LARGEST_EVIDENCE} bytes, the most for dispute evidence.",
            param="file",
        )
