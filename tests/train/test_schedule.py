"""Learning rate, progress, running average, clipping, tied weights."""

import math

import pytest
import torch
from unnp.train.ema import RunningAverage
from unnp.train.optim import clip_gradients, sum_tied_gradients, tie
from unnp.train.schedule import learning_rate, progress


def test_rate_rises_linearly_then_follows_half_a_cosine() -> None:
    rates = [learning_rate(step, 0.0, peak=1.0, final=0.1, warmup_steps=4) for step in range(6)]
    assert rates == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0, 1.0])
    after = [learning_rate(100, f, peak=1.0, final=0.1, warmup_steps=4) for f in (0.0, 0.5, 1.0)]
    assert after == pytest.approx([1.0, 0.55, 0.1])
    assert learning_rate(0, 0.0, peak=1.0, final=0.0, warmup_steps=0) == 1.0


def test_progress_is_the_larger_of_epochs_and_time() -> None:
    assert progress(2.5, 10, 1.0, None) == 0.25
    assert progress(2.5, 10, 30.0, 60.0) == 0.5
    assert progress(2.5, 10, 90.0, 60.0) == 1.0


def test_running_average_follows_its_formula() -> None:
    layer = torch.nn.Linear(2, 1, bias=False)
    average = RunningAverage(layer, decay=0.3)
    expected = layer.weight.detach().clone()
    for n in range(1, 5):
        with torch.no_grad():
            layer.weight.fill_(float(n))
        average.update(n)
        decay = min(0.3, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * n
    assert torch.allclose(next(average.potential.parameters()), expected)
    assert not any(p.requires_grad for p in average.potential.parameters())


def test_clipping_bounds_the_common_norm() -> None:
    gradients = [torch.tensor([3.0]), torch.tensor([0.0, 4.0])]
    assert clip_gradients(gradients, 1.0).item() == pytest.approx(5.0)
    assert math.hypot(*(g.norm().item() for g in gradients)) == pytest.approx(1.0)
    assert clip_gradients(gradients, None).item() == pytest.approx(1.0)
    assert clip_gradients(gradients, 7.0).item() == pytest.approx(1.0)
    assert gradients[0].item() == pytest.approx(0.6)


def test_tied_weights_move_as_one_weight_with_the_sum_of_the_gradients() -> None:
    a, b = (torch.nn.Parameter(torch.tensor(value)) for value in (1.0, 5.0))
    tie([[a, b]])
    assert b.item() == 1.0
    (2 * a + 3 * b).backward()
    sum_tied_gradients([[a, b]])
    assert a.grad is not None
    assert b.grad is not None
    assert [a.grad.item(), b.grad.item()] == [5.0, 5.0]
