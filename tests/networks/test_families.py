"""The five families: each built, trained a few steps, exported, and read again as any model is."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import mlnb  # noqa: E402
from mlnb.networks.export import export_onnx  # noqa: E402
from mlnb.networks.sequential import Sequential  # noqa: E402
from mlnb.train.trainer import Trainer  # noqa: E402

ROWS = 96


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def feed_forward():
    net = Sequential(6).dense(16, "relu").batch_norm().dropout(0.2).dense(3)
    return net, torch.randn(ROWS, 6)


def convolutional():
    net = Sequential((1, 12, 12)).conv2d(6, 3, padding=1).batch_norm("relu").max_pool2d(2)
    inner = Sequential().conv2d(6, 3, padding=1).batch_norm("relu")
    return net.residual(inner, "relu").global_avg_pool2d().dense(3), torch.randn(ROWS, 1, 12, 12)


def recurrent():
    net = Sequential(9, dtype="int64").embedding(40, 12).gru(10, bidirectional=True)
    return net.dense(3), torch.randint(0, 40, (ROWS, 9))


def transformer():
    net = Sequential(9, dtype="int64").embedding(40, 16).positional_encoding()
    net.transformer_encoder_layer(4, dim_feedforward=32).permute(1, 0).global_avg_pool1d()
    return net.dense(3), torch.randint(0, 40, (ROWS, 9))


@pytest.mark.parametrize("build", [feed_forward, convolutional, recurrent, transformer])
def test_a_family_trains_and_leaves_as_a_file_that_answers_alike(build, tmp_path: Path):
    torch.manual_seed(0)
    net, x = build()
    before = {name: weight.clone() for name, weight in net.state_dict().items()}
    trainer = Trainer(net.module, loss="cross_entropy", lr=0.01)
    run = trainer.fit((x, torch.arange(ROWS) % 3), epochs=2, batch_size=32, folder=False)
    assert run.step == 6
    assert any(not torch.equal(before[name], now) for name, now in net.state_dict().items())

    report = export_onnx(net, tmp_path / "net.onnx")
    assert report.difference < 1e-4
    assert report.inputs == {"input": ("batch", *x.shape[1:])}
    assert report.outputs == {"dense_2" if build is feed_forward else "dense": ("batch", 3)}
    agrees(report.path, x[:7], net.predict(x[:7], raw=True))


def test_both_halves_of_a_gan_leave_as_files_that_answer_alike(tmp_path: Path):
    torch.manual_seed(0)
    generator = Sequential(4, "generator").dense(32, "relu").reshape(8, 2, 2)
    generator.conv_transpose2d(4, 4, "relu", stride=2, padding=1).conv2d(1, 3, "tanh", padding=1)
    critic = Sequential((1, 4, 4), "critic").conv2d(8, 3, "leaky_relu", padding=1)
    critic.flatten().dropout(0.2).dense(1)
    models = {"generator": generator.module, "critic": critic.module}
    run = Trainer(models, step=against_each_other).fit(
        torch.rand(64, 1, 4, 4), epochs=2, batch_size=16, folder=False
    )
    assert run.step == 8

    for net in (generator, critic):
        report = export_onnx(net, tmp_path / f"{net.name}.onnx")
        assert report.difference < 1e-4
        sample = torch.randn(5, *net.input_shape)
        agrees(report.path, sample, net.module.eval()(sample).detach())


def against_each_other(real, models, optimizers):
    bce = nn.functional.binary_cross_entropy_with_logits
    fake = models["generator"](torch.randn(len(real), 4))
    ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
    losses = {}
    seen = bce(models["critic"](real), ones) + bce(models["critic"](fake.detach()), zeros)
    for name in ("critic", "generator"):
        loss = seen if name == "critic" else bce(models["critic"](fake), ones)
        optimizers[name].zero_grad()
        loss.backward()
        optimizers[name].step()
        losses[name] = loss
    return losses


def agrees(path: Path, x, wanted):
    came = mlnb.load_model(path).predict(x.numpy())
    (name,) = came
    assert (torch.as_tensor(came[name]) - wanted).abs().max() < 1e-4
