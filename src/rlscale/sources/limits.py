"""Bounds on what is read: sizes, depths and counts that no log reaches, and a damaged or made-up file may.

What exceeds one is refused or left out and said, so that no file fills the memory or takes for hours.
"""

from __future__ import annotations

# --- lines and documents ---

#: No log has a line this long; a file that does is not read into memory.
LINE_CAP = 16 << 20
#: A JSON document is parsed whole, so it has a bound of its own (about half a million rows) ...
DOCUMENT_CAP = 256 << 20
#: ... and of its values: however short they are written, each takes some hundred bytes.
DOCUMENT_VALUES = 1 << 24
#: Levels of a row of JSON; what lies deeper is no metric.
ROW_DEPTH = 16

# --- runs and their quantities ---

#: No run logs this many quantities; a file that does would not fit into memory.
MOST_KEYS = 100_000
#: No trainer's key is longer; text that is no key is.
LONGEST_KEY = 500
#: A file whose steps start over more often than this is no log; each run takes kilobytes.
LOG_RUNS = 1000
#: More than one machine holds; such a count is damage.
MOST_GPUS = 1 << 16

# --- tables ---

#: Runs of a table; each takes some kilobytes, however few its rows are.
TABLE_RUNS = 250_000
#: Rows times columns of a table; a number takes 8 bytes.
MOST_CELLS = 1 << 26
#: Runs times keys of a tracker's export: each takes some hundred bytes however few its values are.
EXPORT_COLUMNS = 1 << 21
#: In a table of up to so many rows columns of words are looked at.
WORDS_LOOKED_AT = 200_000
#: Larger files are no settings of a few runs.
SETTINGS_FILE_CAP = 16 << 20
#: Bytes of the columns of a Parquet file that are read, unpacked.
PARQUET_CAP = 1 << 30
#: The description of the columns, at the end of a Parquet file, takes some twenty times its size in memory ...
PARQUET_FOOTER_CAP = 8 << 20
#: ... and is searched for the names of Trackio's columns.
TRACKIO_FOOTER_CAP = 16 << 20

# --- trackers ---

#: Images, audio and meshes in event files; no event with a scalar is this large.
EVENT_CAP = 16 << 20
#: Of event files; the longest text is a configuration.
LONGEST_TAG, LONGEST_TEXT, MOST_TEXTS = 4096, 1 << 20, 16
#: A larger record of a ``.wandb`` file is passed over; history rows take kilobytes.
WANDB_RECORD_CAP = 64 << 20
#: Memory that the console in it may take.
WANDB_CONSOLE_CAP = 64 << 20
#: Bytes of the configuration in it that are read; they take some twenty times the memory.
WANDB_SETTINGS_CAP = 8 << 20
#: What W&B knows of the machine.
WANDB_METADATA_CAP = 1 << 20
#: A parameter of MLflow is at most 6,000 characters long, and its ``meta.yaml`` a dozen lines.
MLFLOW_TEXT_CAP = 1 << 20
#: A key of MLflow is at most 250 characters long, slashes among them.
MLFLOW_DEPTH = 125
#: An answer of a server, and the pages of one list.
MLFLOW_ANSWER_CAP, MLFLOW_PAGES = 256 << 20, 10_000
#: A longer value in a database is not read into memory.
SQLITE_VALUE_CAP = 256 << 20
#: A write-ahead log left behind is read from a private copy; this much is copied, no more.
SQLITE_COPY_CAP = 4 << 30

# --- configurations ---

#: No configuration is larger, has more settings, or is deeper; a file that does is refused, not read for hours.
CONFIG_CAP, CONFIG_KEYS, CONFIG_DEPTH = 2 << 20, 20_000, 40
#: Nodes of a file, and settings that merges (``<<``) copy: a small file can ask for billions of either.
YAML_NODES, YAML_MERGED = 5 * CONFIG_KEYS, 10 * CONFIG_KEYS
#: A longer word is text, whatever it looks like: reading it as a number may take hours.
YAML_WORD = 100
#: Letters of a word that variables are filled in, and of what comes of it: they may hold one another many times.
SHELL_WORD = 4000
