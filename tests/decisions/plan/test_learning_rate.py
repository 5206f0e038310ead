import doctest
import pickle

import pytest

from rlscale.decisions.plan import learning_rate, lr_for
from rlscale.errors import InputError, KeywordError


def test_the_published_identity():
    assert f"{lr_for(8192, anchor_lr=1e-6, anchor_batch=1024).value:.3e}" == "2.828e-06"
    assert lr_for(1024, anchor_lr=1e-6, anchor_batch=1024).value == pytest.approx(1e-6)
    there = lr_for(300, anchor_lr=2e-6, anchor_batch=700).value
    assert lr_for(700, anchor_lr=there, anchor_batch=300).value == pytest.approx(2e-6)


def test_it_says_what_it_rests_on():
    rate = lr_for(8192, anchor_lr=1e-6, anchor_batch=1024)
    assert rate.rule == "lr = anchor_lr * sqrt(batch / anchor_batch)"
    assert {each.grade for each in rate.evidence} == {"V", "draft"}
    assert any("total" in each and "split" in each for each in rate.limits)
    assert pickle.loads(pickle.dumps(rate)) == rate


def test_far_from_the_anchor_is_a_limit():
    near, far = (lr_for(batch, anchor_lr=1e-6, anchor_batch=1024) for batch in (8192, 16384))
    assert far.limits[1:] == near.limits
    assert far.limits[0].startswith("a batch of 16384 is 16 times the anchor's")


@pytest.mark.parametrize(
    ("given", "parameter", "message"),
    [
        ({"batch": 0}, "batch", "batch 0 is not a batch; give a finite number above 0"),
        ({"anchor_lr": -1e-6}, "anchor_lr", "anchor_lr -1e-06 is not a learning rate; give a finite number above 0"),
        ({"anchor_batch": float("nan")}, "anchor_batch", "anchor_batch nan is not a batch; give a finite"),
    ],
)  # fmt: skip
def test_what_is_no_size_is_refused(given, parameter, message):
    with pytest.raises(InputError) as error:
        lr_for(**{"batch": 8192, "anchor_lr": 1e-6, "anchor_batch": 1024, **given})
    assert str(error.value).startswith(message)
    assert error.value.parameter == parameter


def test_a_keyword_that_there_is_not():
    with pytest.raises(KeywordError, match="did you mean anchor_lr"):
        lr_for(8192, anchor_rl=1e-6, anchor_batch=1024)


def test_its_example():
    assert doctest.testmod(learning_rate).failed == 0
