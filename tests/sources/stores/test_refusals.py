"""What a store refuses is one typed error that says what to do and holds no secret."""

import http.server
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from rlscale.errors import FormatError, StoreError, hidden
from rlscale.sources import collect
from rlscale.sources.stores import image, is_address, listing
from rlscale.sources.stores.address import Asking, address_of, why
from tests.sources.stores.server import CREDENTIALS
from tests.sources.test_follow import verl_file

FROM_AWS = "AWS_PROFILE, AWS_ACCESS_KEY_ID and ~/.aws; for a public bucket set FSSPEC_S3_ANON=true"


@contextmanager
def answering(status, body, ranges=False):
    """A server that gives the same answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def endpoint(monkeypatch):
    """Sets the endpoint of S3 for a fresh client."""
    s3fs = pytest.importorskip("s3fs")

    def at(address):
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": address, "AWS_MAX_ATTEMPTS": "1"}.items():
            monkeypatch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()

    yield at
    s3fs.S3FileSystem.clear_instance_cache()


def refused(*paths):
    with pytest.raises(StoreError) as caught:
        collect(list(paths))
    message = str(caught.value)
    assert not any(secret in message for secret in CREDENTIALS.values())
    assert caught.value.__cause__ is None
    return message


def test_no_permission(endpoint):
    body = b"<Error><Code>AccessDenied</Code><Message>nobody-may-see-this</Message></Error>"
    with answering(403, body) as address:
        endpoint(address)
        assert refused("s3://logs/exp") == (
            f"s3://logs/exp: access is refused; check that what s3fs finds may list and read here: {FROM_AWS}"
        )


def test_an_endpoint_that_is_down(endpoint):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        endpoint(f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert refused("s3://logs/exp") == (
            "s3://logs/exp: the store cannot be reached; check the network and the endpoint (AWS_ENDPOINT_URL), "
            "then try again"
        )


def test_no_credentials(endpoint, monkeypatch, tmp_path):
    endpoint("http://127.0.0.1:9")
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    message = refused("s3://logs/exp")
    assert message == f"s3://logs/exp: no credentials are there for this store; s3fs takes them from {FROM_AWS}"


def test_a_file_of_the_web():
    pytest.importorskip("aiohttp")
    with answering(200, verl_file(n=20).encode()) as address:
        secret = "X-Amz-Signature=abc123"
        (run,) = collect([f"{address}/exp/log.jsonl?{secret}"]).runs
        assert run.source.path == f"{address}/exp/log.jsonl"
        assert run.name == "exp"
    message = refused(f"{address}/exp/log.jsonl?{secret}")
    assert message == (
        f"{address}/exp/log.jsonl: the store cannot be reached; check the network and the endpoint, then try again"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s3://bucket/a?X-Amz-Signature=abc&x=1", "s3://bucket/a?X-Amz-Signature=***&x=1"),
        ("https://h/a?sv=1&sig=a%2Fb", "https://h/a?sv=1&sig=***"),
        ("'https://h/a?token=abc'", "'https://h/a?token=***'"),
        ("https://h/a?X-Amz-Security-Token=a&X-Amz-Credential=b", "https://h/a?X-Amz-Security-Token=***&X-Amz-Credential=***"),
        ("https://h/a?AWSAccessKeyId=a&Signature=b&signed=1", "https://h/a?AWSAccessKeyId=***&Signature=***&signed=1"),
    ],
)  # fmt: skip
def test_signatures_are_hidden(text, shown):
    assert hidden(text) == shown


def test_addresses():
    assert address_of("S3://b/a//c/").below.as_posix() == "s3/b/a/c"
    assert "secret" not in repr(address_of("abfs://user:secret@host/x"))
    assert address_of("https://host/a/log.csv?sig=secret#x").shown == "https://host/a/log.csv"
    assert [is_address(text) for text in ("s3://b", "wandb://a/b", "comet://a", "s3:/b", "ledger:x")] == [
        True, False, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("s3://", "names no bucket; write s3://BUCKET/FOLDER"),
        ("gs:///", "names no bucket; write gs://BUCKET/FOLDER"),
        ("s3://b/../../etc", "has a part that is no name of a file (.., or one too long); check the address"),
        (f"s3://b/{'x' * 300}", "has a part that is no name of a file (.., or one too long); check the address"),
    ],
)
def test_addresses_that_cannot_be(path, message):
    assert refused(path) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        ("s3", "s3:// needs fsspec and s3fs; run pip install 'rlscale[cloud]'"),
        ("memory", "memory:// needs fsspec; run pip install 'rlscale[cloud]'"),
        ("gs", "gs:// needs fsspec and gcsfs; run pip install 'rlscale[cloud]' gcsfs"),
        ("hf", "hf:// needs fsspec and huggingface_hub; run pip install 'rlscale[cloud]' huggingface_hub"),
        ("abfs", "abfs:// needs fsspec and adlfs; run pip install 'rlscale[cloud]' adlfs"),
        ("https", "https:// needs fsspec and aiohttp; run pip install 'rlscale[cloud]'"),
    ],
)
def test_a_missing_library(scheme, message):
    assert why(ImportError("x"), address_of(f"{scheme}://b/x")) == message


def test_without_the_libraries_the_extra_is_named(tmp_path):
    code = (
        "import sys; sys.modules['fsspec'] = None\n"
        "import rlscale\n"
        "try: rlscale.read('s3://b/x')\n"
        "except rlscale.StoreError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "s3://b/x: s3:// needs fsspec and s3fs; run pip install 'rlscale[cloud]'\n"


def test_other_refusals():
    class HttpError(Exception):
        code = 401

    assert "access is refused" in why(HttpError(), address_of("gs://b"))
    with pytest.raises(StoreError), Asking(address_of("gs://b")):
        raise HttpError  # of whatever package
    assert (
        why(OSError(), address_of("hf://datasets/a/b"))
        == "the store cannot be read (OSError); check the address, and where huggingface_hub looks for a login: "
        "HF_TOKEN, or hf auth login"
    )


def test_wildcards():
    assert why(FileNotFoundError(), address_of("s3://b/*/log.jsonl")) == (
        "there is no such object; wildcards are not expanded: give the folder, and --run GLOB for its runs"
    )


def test_faults_of_this_package_are_raised_as_they_are(memory, monkeypatch):
    url = memory.put("exp/log.jsonl", verl_file(n=9))
    monkeypatch.setattr(listing, "beside", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        collect([url])


def test_a_disk_without_room(memory, monkeypatch):
    url = memory.put("exp/log.jsonl", verl_file(n=9))
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(image.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    assert refused(url).endswith("; name a folder below, or set TMPDIR to a disk with room")


def test_more_objects_than_are_listed(memory, monkeypatch):
    for k in range(4):
        memory.put(f"exp/{k}.log", "")
    monkeypatch.setattr(listing, "_MOST", 3)
    assert refused(f"{memory.url}/exp") == f"{memory.url}/exp: holds more than 3 objects; name a folder below"


def test_a_file_that_no_reader_knows(memory):
    with pytest.raises(FormatError) as caught:
        collect([memory.put("exp/model.pt", b"x")])
    assert caught.value.path == f"{memory.url}/exp/model.pt"
