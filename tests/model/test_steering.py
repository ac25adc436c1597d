"""What steers a draw: sliders, intervals, sounds, and inversions."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gdr_model.diffusion import inversion, sampling
from gdr_model.diffusion.denoisers import KINDS, Network, build, describe
from gdr_model.diffusion.guidance import Guided, coefficients, within
from gdr_model.diffusion.pull import Pulled
from gdr_model.diffusion.schedule import Schedule
from gdr_model.errors import UsageError

SCHEDULE = Schedule()
SHAPES = {
    "transformer": {"dim": 8, "frames": 16, "width": 32, "layers": 2, "text_width": 12},
    "unet": {
        "dim": 8,
        "frames": 16,
        "channels": [8, 16],
        "factors": [2, 4],
        "items": [1, 1],
        "attentions": [0, 1],
        "heads": 2,
        "head_width": 8,
        "groups": 4,
        "features": 16,
        "text_width": 12,
        "null_length": 5,
    },
    "mlp": {"dim": 8, "widths": [16, 16], "condition_width": 16, "text_width": 12},
    "residual": {"dim": 8, "width": 16, "layers": 2, "text_width": 12},
}


def network(kind: str, sd: float = 0.1) -> Network:
    torch.manual_seed(0)
    net = build({"kind": kind, **SHAPES[kind]}).eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=sd)
    return net


@pytest.fixture(params=list(KINDS))
def net(request: pytest.FixtureRequest) -> Network:
    return network(request.param)


def state(net: Network, draws: int = 2) -> Tensor:
    return sampling.noise(draws, net.config.frames, net.config.dim, seed=1)


def alone(net: Network, text, row: int, x: Tensor, t: int) -> Tensor:
    """One text's own answer."""
    parts = (torch.from_numpy(p[[row]]) for p in (text.states, text.mask, text.pooled))
    with torch.inference_mode():
        return net(x, torch.full((len(x),), t), net.read(*parts).repeat(len(x)))


def test_a_network_is_rebuilt_from_its_description(net) -> None:
    again = build(describe(net))
    assert again.config == net.config
    again.load_state_dict(net.state_dict())


def test_a_description_without_a_kind_is_a_transformer() -> None:
    assert describe(build(SHAPES["transformer"]))["kind"] == "transformer"


@pytest.mark.parametrize(
    ("described", "problem"),
    [
        ({"kind": "rnn"}, "unknown kind of denoiser 'rnn'; use transformer, unet, mlp"),
        ({"dim": 8, "wide": 3}, "the denoiser: unknown field wide; known are dim, frames"),
        ({"kind": "mlp"}, "the denoiser: the field dim is missing"),
        ({"kind": "mlp", "dim": 8, "widths": 16}, "widths must be a list of whole numbers"),
    ],
)
def test_what_describes_no_network_is_refused(described: dict, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        build(described)


def test_every_text_acts_with_its_own_factor(net, words) -> None:
    text, x = words([0, 4, 3, 2, 5, 1]), state(net)
    u, p, n1, n2, c1, c2 = (alone(net, text, row, x, 500) for row in range(6))
    guided = Guided.build(net, text, 4.0, weights=(1.0, 0.25), amounts=(0.5, -0.75))
    wanted = u + 4 * (p - u) - 2 * (n1 - u) - 0.5 * (n2 - u) + 3 * (c1 - u) - 4.5 * (c2 - u)
    torch.testing.assert_close(guided(x, 500), wanted, rtol=1e-3, atol=1e-4)


def test_a_slider_at_minus_one_is_a_negative_of_weight_three() -> None:
    assert coefficients(3, (3.0,)) == coefficients(3, (), (-1.0,))
    assert sum(coefficients(5, (0.5, 2), (0.3, -1))) == pytest.approx(1)


def test_a_slider_at_zero_is_never_evaluated(words) -> None:
    guided = Guided.build(network("mlp"), words([0, 3, 2]), 3.0, amounts=(0.0,))
    assert guided.factors == (-2.0, 3.0)


def test_outside_its_interval_guidance_leaves_the_prompt_alone(net, words) -> None:
    text, x = words([0, 4, 3]), state(net)
    guided = Guided.build(net, text, 3.0, (1.0,), interval=(0.25, 0.75))
    whole = Guided.build(net, text, 3.0, (1.0,))
    for t in (999, 800, 100, 1):
        torch.testing.assert_close(guided(x, t), alone(net, text, 1, x, t), rtol=1e-3, atol=1e-5)
    for t in (700, 300):
        torch.testing.assert_close(guided(x, t), whole(x, t))


@pytest.mark.parametrize(("t", "share"), [(999, 0.0), (499, 0.5), (0, 0.999)])
def test_an_interval_counts_from_pure_noise(t: int, share: float) -> None:
    assert within(t, 1000, (share - 1e-9, share + 1e-9))
    assert within(t, 1000, (0, 1))


def pulled(velocity, likes: list[Tensor], dislikes: list[Tensor], strength: float) -> Pulled:
    def stack(rows: list[Tensor]) -> Tensor:
        return torch.stack(rows) if rows else torch.empty(0, 8)

    return Pulled(velocity, SCHEDULE, stack(likes), stack(dislikes), strength)


def test_a_like_pulls_a_draw_and_a_dislike_turns_it_away(normal) -> None:
    oracle, z = normal(0.0, 1.0), sampling.noise(16, 4, 8, seed=2)
    sound = torch.nn.functional.normalize(torch.randn(8), dim=0) * math.sqrt(8)

    def end(likes: list[Tensor], dislikes: list[Tensor], strength: float) -> Tensor:
        velocity = pulled(oracle, likes, dislikes, strength)
        return sampling.ddim(velocity, z, SCHEDULE.grid(12), SCHEDULE)

    def nearness(x: Tensor) -> float:
        return float((x.mean(1) @ sound / 8).mean())

    plain = sampling.ddim(oracle, z, SCHEDULE.grid(12), SCHEDULE)
    torch.testing.assert_close(end([sound], [], 0.0), plain, rtol=1e-3, atol=1e-4)
    nearer = [nearness(end([sound], [], strength)) for strength in (0.0, 0.05, 0.2, 1.0)]
    assert nearer == sorted(nearer)
    assert nearer[-1] == pytest.approx(1, abs=0.05), "the strongest like ends at its sound"
    turned = end([], [sound], 1.0).mean(1) @ sound / 8
    assert float(turned.max()) < 0.05, "the strongest dislike leaves nothing of it"
    assert nearness(end([], [sound], 0.2)) < nearness(plain)


def test_a_pull_moves_the_mean_and_leaves_the_course_over_time(normal) -> None:
    oracle, x = normal(0.0, 1.0), sampling.noise(2, 4, 8, seed=2)
    v, moved = oracle(x, 500), pulled(oracle, [torch.ones(8)], [], 0.3)(x, 500)
    torch.testing.assert_close(moved - v, (moved - v).mean(1, keepdim=True).expand_as(v))


def test_an_edit_can_be_pulled_towards_a_second_sound(normal) -> None:
    oracle = normal(0.0, 0.8)
    source, second = 0.8 * sampling.noise(1, 4, 8, seed=2), torch.ones(8)
    grid = SCHEDULE.grid(24)
    top = inversion.invert(oracle, source, grid, SCHEDULE)
    distances = [
        float((sampling.ddim(velocity, top, grid, SCHEDULE).mean(1) - second).norm())
        for velocity in (
            oracle,
            pulled(oracle, [second], [], 0.1),
            pulled(oracle, [second], [], 0.4),
        )
    ]
    assert distances == sorted(distances, reverse=True)


@pytest.mark.parametrize("steps", [24, 50])
@pytest.mark.parametrize("sd", [0.5, 0.7, 1.0, 1.3])
def test_inverted_data_are_unit_noise_and_lead_back(normal, sd: float, steps: int) -> None:
    oracle, grid = normal(0.3, sd), SCHEDULE.grid(steps)
    source = 0.3 + sd * sampling.noise(1, 64, 64, seed=4)
    found = inversion.solve(oracle, source, grid, SCHEDULE)
    assert float(found.x.std()) == pytest.approx(1, abs=0.1)
    assert abs(float(found.x.mean())) < 0.1
    assert found.residual < 1e-4
    back = sampling.ddim(oracle, found.x, grid, SCHEDULE)
    assert cosine(back, source) > 0.9999


def test_the_round_trip_of_a_network_closes(net, words) -> None:
    plain = Guided.build(net, words([0, 4]), 1.0)
    source = state(net, 1)
    grid = SCHEDULE.grid(12)
    found = inversion.solve(plain, source, grid, SCHEDULE)
    assert cosine(sampling.ddim(plain, found.x, grid, SCHEDULE), source) > 0.999


def test_the_residual_tells_how_well_an_inversion_was_solved(normal) -> None:
    oracle, grid = normal(0.3, 0.5), SCHEDULE.grid(12)
    source = 0.3 + 0.5 * sampling.noise(1, 16, 16, seed=4)
    solved = [inversion.solve(oracle, source, grid, SCHEDULE, iterations=n) for n in (0, 1, 3, 6)]
    residuals = [found.residual for found in solved]
    assert residuals == sorted(residuals, reverse=True)
    assert residuals[0] > 0.01
    assert residuals[-1] < inversion.SOLVED
    for found in solved:
        back = sampling.ddim(oracle, found.x, grid, SCHEDULE)
        assert float((back - source).norm() / source.norm()) < found.residual + 1e-5


def cosine(a: Tensor, b: Tensor) -> float:
    return float(torch.cosine_similarity(a.flatten().double(), b.flatten().double(), dim=0))
