"""FLOPs from tokens."""

import math

import pytest

from rlscale.errors import InputError
from rlscale.sources import FlopRule


def test_the_formula():
    """Generation 2 N, each set of log-probabilities 2 N, each epoch 6 N."""
    assert FlopRule(params=1e9, logp_passes=0, epochs=1).per_token() == 8e9  # 6 N D to train, 2 N D to generate
    assert FlopRule(params=1e9, logp_passes=2, epochs=3).per_token() == (2 + 4 + 18) * 1e9
    assert FlopRule(params=1e9).per_token() == 10e9  # one pass and one epoch, assumed
    assert FlopRule(params=1e9, logp_passes=0, epochs=0).per_token() == 2e9


def test_recomputed_activations_cost_one_more_forward_pass():
    assert FlopRule(params=1e9, logp_passes=1, epochs=2, recompute=True).per_token() == (2 + 2 + 16) * 1e9


def test_attention():
    """4 L d s a token and forward pass, twice that backward."""
    rule = FlopRule(params=7e9, logp_passes=1, epochs=2, layers=32, width=4096, length=16384)
    attention = 32 * 4096 * 16384
    assert rule.per_token() == 7e9 * (2 + 2 + 12) + attention * (4 + 4 + 24)
    again = FlopRule(params=7e9, logp_passes=1, epochs=2, layers=32, width=4096, length=16384, recompute=True)
    assert again.per_token() == 7e9 * (2 + 2 + 16) + attention * (4 + 4 + 32)
    for missing in ("layers", "width", "length"):
        less = {"layers": 32.0, "width": 4096.0, "length": 16384.0} | {missing: None}
        assert FlopRule(params=7e9, **less).per_token() == 7e10


def test_the_sentence_names_what_was_assumed():
    assert FlopRule(params=1.5e9).sentence() == (
        "flops count tokens x 1.5e+09 parameters x (2 + 2 k + 6 e), without the attention term: "
        "k = 1 (assumed) log-probability passes, e = 1 (assumed) epochs"
    )
    rule = FlopRule(params=1e9, logp_passes=0, epochs=2, layers=1, width=2, length=300, recompute=True)
    assert rule.sentence() == (
        "flops count tokens x 1e+09 parameters x (2 + 2 k + 8 e), with attention over 300 tokens: "
        "k = 0 log-probability passes, e = 2 epochs"
    )


@pytest.mark.parametrize("field", ["params", "logp_passes", "epochs", "layers", "width", "length"])
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_numbers_that_cannot_be(field, value):
    with pytest.raises(InputError, match=f"^{field}="):
        FlopRule(**{field: value})


@pytest.mark.parametrize("field", ["params", "layers", "width", "length"])
def test_zero_where_it_cannot_be(field):
    with pytest.raises(InputError):
        FlopRule(**{field: 0.0})
