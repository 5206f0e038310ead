"""Parquet in bounded memory: a file of a kilobyte can claim any number of rows, and one long text in each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import FormatError, SourceError
from rlscale.sources.limits import MOST_CELLS, PARQUET_CAP, PARQUET_FOOTER_CAP

__all__ = ["Sheet", "coded", "floats", "is_number"]


_BATCH = 1 << 20

#: Rows at a time where a text may be stored as a change of the one before, so that few bytes can hold many long texts.
_FEW = 64
_CHANGES = "DeltaByteArray"

#: Longest number in Parquet, a decimal.
_LONGEST_NUMBER = 32


class Sheet:
    """An open Parquet file.

    Parameters
    ----------
    path : Path
        The file.

    Attributes
    ----------
    rows : int
        As the file says.
    kinds : dict of str to pyarrow.DataType
        The type of each column, in order; of every column whose cells are no lists and no objects.
    nested : dict of str to pyarrow.DataType
        The others, which are never read.

    Raises
    ------
    FormatError
        pyarrow is not installed.
    SourceError
        Not a Parquet file that can be read, or two columns have one name.
    """

    def __init__(self, path: Path) -> None:
        try:
            import pyarrow.parquet
        except ImportError as error:
            raise FormatError(str(path), "reading Parquet needs pyarrow: pip install rlscale[parquet]") from error
        self._path = str(path)
        with _readable(self._path):
            _check_footer(path)
            file = pyarrow.parquet.ParquetFile(path)
            self.rows = int(file.metadata.num_rows)
            leaves = _flat(file)
            named = list(zip(file.schema_arrow.names, file.schema_arrow.types, strict=True))
            kinds = pyarrow.types
            texts = [n for n, kind in named if n in leaves and (kinds.is_string(kind) or kinds.is_binary(kind))]
            # a text that a column repeats stays one text in memory, however many rows hold it
            self._file = pyarrow.parquet.ParquetFile(path, read_dictionary=texts)
            self._changes = _by_changes(self._file, texts)
            self._file = file if self._changes else self._file
        self.kinds = {name: kind for name, kind in named if name in leaves}
        self.nested = {name: kind for name, kind in named if name not in leaves}
        if len(self.kinds) + len(self.nested) < len(named):
            names = [name for name, _ in named]
            twice = next(name for k, name in enumerate(names) if name in names[:k])
            raise SourceError(self._path, f"column {twice!r} appears twice; rename one of them")

    def batches(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield columns, some rows of all of them at a time, as pyarrow arrays; a text column may be a dictionary.

        Raises
        ------
        SourceError
            They are larger than any log, by what the file says or once unpacked; or a page cannot be read.
        """
        if self.rows * len(names) > MOST_CELLS:
            what = f"{self.rows} rows of {len(names)} columns"
            raise SourceError(self._path, f"holds {what}, more than any log; is this one? keep the columns of the runs")
        rows = _FEW if self._changes else max(1, _BATCH // max(1, len(names)))
        taken, left = 0, self.rows
        with _readable(self._path):
            for batch in self._file.iter_batches(rows, columns=list(names)):
                taken += batch.nbytes
                if taken > PARQUET_CAP:
                    raise SourceError(self._path, f"unpacks to more than {PARQUET_CAP >> 20} MiB; is this a log?")
                batch.validate(full=True)  # a damaged page may name a text beyond its dictionary
                left -= batch.num_rows
                yield {name: batch.column(name) for name in names}
        if left and names:
            raise SourceError(self._path, f"holds {self.rows - left} rows where it claims {self.rows}; write it again")

    def records(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the rows, as Python's values; errors as for :meth:`batches`."""
        for batch in self.batches(names):
            with _readable(self._path):
                columns = [_cells(batch[name]) for name in names]
            for cells in zip(*columns, strict=True):
                yield dict(zip(names, cells, strict=True))


def coded(path: str, array: Any) -> tuple[NDArray[np.intp], list[Any]]:
    """Return a code for each cell, -1 where it is empty, and the value of each code.

    Raises
    ------
    SourceError
        A text is not UTF-8, or the values are of a kind that cannot be told apart.
    """
    with _readable(path):
        found = array if hasattr(array, "dictionary") else array.dictionary_encode()
        codes = found.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.intp)
        return codes, found.dictionary.to_pylist()


def floats(path: str, array: Any) -> NDArray[np.float64]:
    """Return the numbers of an array, NaN where it is empty.

    Raises
    ------
    SourceError
        They cannot be turned into floats.
    """
    with _readable(path):
        return np.asarray(array.cast("float64", safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def is_number(kind: Any) -> bool:
    """Whether a column of this type holds numbers: floats, whole numbers or decimals."""
    from pyarrow import types

    return bool(types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind))


def _cells(array: Any) -> list[Any]:
    if not hasattr(array, "dictionary"):
        return list(array.to_pylist())
    values = [*array.dictionary.to_pylist(), None]  # -1 is the last
    return [values[code] for code in array.indices.fill_null(-1).to_pylist()]


def _flat(file: Any) -> frozenset[str]:
    """Return the columns whose cells are neither lists nor objects, nor bytes of a fixed long size."""
    leaves = (file.schema.column(place) for place in range(file.metadata.num_columns))
    return frozenset(
        leaf.path
        for leaf in leaves
        if leaf.max_repetition_level == 0 and leaf.path == leaf.name and leaf.length <= _LONGEST_NUMBER
    )


def _by_changes(file: Any, texts: Sequence[str]) -> bool:
    """Whether a text column holds changes, which pyarrow does not read as a dictionary.

    What the file says of a column's encodings is not asked for: pyarrow ends the process where that is damaged.
    """
    try:
        next(file.iter_batches(1, columns=list(texts)), None)
    except OSError as error:
        return _CHANGES in str(error)
    return False


def _check_footer(path: Path) -> None:
    with path.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - 8))
        size = int.from_bytes(file.read(4), "little")
    if PARQUET_FOOTER_CAP < size <= end:
        raise SourceError(str(path), f"describes its columns in {size >> 20} MiB, more than any log; is this one?")


@contextmanager
def _readable(path: str) -> Iterator[None]:
    """Turn what pyarrow raises into an error that names the file."""
    import pyarrow

    try:
        yield
    except (OSError, ValueError, KeyError, NotImplementedError, OverflowError, pyarrow.ArrowException) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise SourceError(path, f"not a Parquet file that can be read ({reason}); write it again") from error
