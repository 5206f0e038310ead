"""Logs in object stores: addresses, which objects are fetched, and their image in a temporary folder.

Readers want files: TensorBoard a folder, SQLite a database, Parquet a file it can seek in. So what an address names is
fetched into a temporary folder of the same shape, and everything that reads files reads that; a log that grows is
fetched from where the image ends.
"""

from rlscale.sources.stores.address import is_address
from rlscale.sources.stores.image import Image

__all__ = ["Image", "is_address"]
