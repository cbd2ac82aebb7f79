"""Rows to Parquet and back; manifest, ledger, difference between versions."""
