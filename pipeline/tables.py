"""Arrow tables and JSON as files, each written whole or not at all."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from paintpipe.pipeline.publish import publish_file
from paintpipe.schemas.errors import StoreError

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets take for the beginning of a formula, or skip before one (OWASP, "CSV Injection"); the last four are
the full-width letters of East Asian keyboards."""


def write_parquet(path: Path, table: pa.Table, metadata: Mapping[str, str] | None = None) -> None:
    """Write a table as Parquet, `metadata` added to its schema's. Raises StoreError."""
    import pyarrow.parquet as pq

    existing = table.schema.metadata or {}
    added = {key.encode(): value.encode() for key, value in (metadata or {}).items()}
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({**existing, **added}), sink, compression="zstd")
    publish_file(path, sink.getvalue())


def read_parquet(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a table, or some of its columns.

    Raises:
        FileNotFoundError: there is no such file.
        StoreError: it is damaged.
    """
    import pyarrow.parquet as pq

    if not path.is_file():
        raise FileNotFoundError(str(path))
    try:
        return pq.ParquetFile(path, page_checksum_verification=True).read(columns=columns)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise StoreError(f"can't be read ({reason})", where=str(path), expected="a Parquet table") from error


def write_csv(path: Path, table: pa.Table) -> None:
    """Write a table as CSV (RFC 4180, UTF-8, with a header), safe to open in a spreadsheet. Raises StoreError.

    A string that a spreadsheet would take for a formula gets a leading apostrophe; numbers never do. Lists are JSON,
    null is an empty cell.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_csv_cell(name) for name in table.column_names])
    for batch in table.to_batches(max_chunksize=10_000):
        columns = [column.to_pylist() for column in batch.columns]
        writer.writerows([_csv_cell(value) for value in row] for row in zip(*columns, strict=True))
    publish_file(path, text.getvalue().encode())


def to_markdown(table: pa.Table, float_digits: int = 3) -> str:
    """A table as GitHub Markdown: numbers right-aligned, floats rounded, null as `–`, pipes escaped."""
    numeric = [pa.types.is_integer(field.type) or pa.types.is_floating(field.type) for field in table.schema]
    head = "| " + " | ".join(_markdown_cell(name, float_digits) for name in table.column_names) + " |"
    rule = "| " + " | ".join("---:" if right else "---" for right in numeric) + " |"
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    body = ["| " + " | ".join(_markdown_cell(value, float_digits) for value in row) + " |" for row in rows]
    return "\n".join([head, rule, *body]) + "\n"


def write_text(path: Path, text: str) -> None:
    """Write a text file, such as a Markdown table. Raises StoreError."""
    publish_file(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys: equal values give equal bytes. Raises StoreError."""
    publish_file(path, (json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        FileNotFoundError: there is no such file.
        StoreError: it is damaged.
    """
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise StoreError(f"can't be read ({error})", where=str(path), expected="JSON") from error


def _csv_cell(value: Any) -> Any:
    if isinstance(value, str):
        return "'" + value if value.startswith(_FORMULA_STARTS) else value
    return json.dumps(value) if isinstance(value, list | dict) else value


def _markdown_cell(value: Any, float_digits: int) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.{float_digits}f}"
    return str(value).replace("\\", "\\\\").replace("|", "\\|").replace("\r", " ").replace("\n", " ")
