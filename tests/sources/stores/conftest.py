import itertools
import os

import pytest

from tests.sources.stores.server import CREDENTIALS, REQUIRED, Bucket, S3Server, is_installed

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory):
    """A server of the S3 protocol; tests that need it are skipped where it is not installed."""
    if not is_installed():
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set and moto[server] or s3fs is missing")
        pytest.skip("moto[server] and s3fs are not installed")
    server = S3Server(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


@pytest.fixture
def s3(s3_server, monkeypatch):
    """An empty bucket of the server."""
    import s3fs

    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": s3_server.address}.items():
        monkeypatch.setenv(name, value)
    store = s3fs.S3FileSystem()
    name = f"logs-{next(NUMBERS)}"
    store.mkdir(name)
    return Bucket(store, f"s3://{name}")


@pytest.fixture
def memory():
    """An empty bucket in this process."""
    fsspec = pytest.importorskip("fsspec")
    return Bucket(fsspec.filesystem("memory"), f"memory://logs-{next(NUMBERS)}")


@pytest.fixture(params=["memory", "s3"])
def bucket(request):
    """An empty bucket of either kind."""
    return request.getfixturevalue(request.param)
