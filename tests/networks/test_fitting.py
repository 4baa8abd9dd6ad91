"""Training, measuring and predicting by the network's own words."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mlnb.errors import InputError, LayerError, RunBusy, UnknownName
from mlnb.networks import layers as L
from mlnb.networks.network import Input, Network
from mlnb.networks.sequential import Sequential


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def digits():
    data = pytest.importorskip("sklearn.datasets").load_digits()
    return (data.images[:, None] / 16).astype("float32"), data.target


def small():
    torch.manual_seed(0)
    net = Sequential((1, 8, 8), "small").conv2d(8, 3, "relu").max_pool2d(2).flatten().dense(10)
    return net.loss("cross_entropy").optimizer("adam", lr=1e-2)


def test_it_learns_digits():
    x, y = digits()
    net = small()
    run = net.fit(x, y, epochs=5, folder=False)
    assert run.stop_reason == "finished"
    assert run.name.startswith("small")
    assert net.evaluate(x, y)["accuracy"] > 0.9
    assert (net.predict(x).argmax(1).numpy() == y).mean() > 0.9


def test_the_words_are_the_trainers():
    x, y = digits()
    run = small().fit(x, y, epochs=2, batch_size=32, validation=0.2, folder=False)
    assert run.epoch == 2
    assert "val_loss" in run.history.epochs[0]
    with pytest.raises(TypeError, match="epoch"):
        small().fit(x, y, epoch=2)


def test_a_second_fit_goes_on_with_the_same_optimizer_until_something_changes():
    x, y = digits()
    net = small()
    net.fit(x, y, epochs=1, folder=False)
    trainer = net.trainer
    net.fit(x, y, epochs=1, folder=False)
    assert net.trainer is trainer
    assert net.optimizer("sgd").trainer is not trainer
    assert net.freeze("conv2d").trainer is not trainer


def test_frozen_weights_stay():
    x, y = digits()
    net = small().freeze("conv2d")
    before = net["conv2d"].weight.clone()
    net.fit(x[:200], y[:200], epochs=1, folder=False)
    assert torch.equal(net["conv2d"].weight, before)


def test_neuromatics_line_works():
    x, y = digits()
    net = Sequential().dense(20, "sigmoid").dense(10, "sigmoid").loss("rmse").optimizer("adam")
    run = net.fit(x.reshape(len(x), -1), np.eye(10, dtype="float32")[y], epochs=1, folder=False)
    assert run.stop_reason == "finished"
    assert net.input_shape == (64,)


def test_a_mistake_shows_at_the_first_data_with_its_line():
    x, y = digits()
    net = Sequential().flatten().conv2d(3, 3)
    with pytest.raises(LayerError, match=r"test_fitting.py, line \d+: `conv2d` expects"):
        net.fit(x, y)


def test_one_sample_gives_one_row_and_a_batch_a_batch():
    x, _ = digits()
    net = small()
    assert net.predict(x[0]).shape == (10,)
    assert net.predict(x[:3]).shape == (3, 10)
    assert net.predict(torch.from_numpy(x[:3])).shape == (3, 10)
    assert net.predict(x[0].tolist()).shape == (10,)
    assert torch.allclose(net.predict(x[0]), net.predict(x[:3])[0], atol=1e-6)


def test_predict_gives_what_the_loss_implies():
    x, _ = digits()
    net = small()
    assert torch.allclose(net.predict(x[:3]).sum(1), torch.ones(3))
    assert torch.allclose(net.predict(x[:3]), net.predict(x[:3], raw=True).softmax(1))
    binary = Sequential((4,)).dense(1).loss("bce")
    z = np.zeros((2, 4), "float32")
    assert torch.allclose(binary.predict(z), binary.predict(z, raw=True).sigmoid())
    plain = Sequential((4,)).dense(1).loss("mse")
    assert torch.equal(plain.predict(z), plain.predict(z, raw=True))


def test_probabilities_of_a_network_that_ends_in_softmax_are_not_softened_again():
    net = Sequential((4,)).dense(3, "softmax").loss("cross_entropy")
    z = torch.randn(5, 4)
    assert torch.allclose(net.predict(z), net.predict(z, raw=True))


def test_predict_leaves_modes_and_weights_alone():
    net = Sequential((4,)).dense(4).batch_norm().dropout(0.5).dense(2)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    z = torch.randn(50, 4)
    assert torch.equal(net.predict(z), net.predict(z))
    assert all(m.training for m in net.module)
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


@pytest.mark.parametrize("shape", [(8, 8), (2, 2, 1, 8, 8), ()])
def test_what_is_neither_sample_nor_batch_is_refused(shape):
    with pytest.raises(InputError, match=r"predict expects one sample \[1, 8, 8\] or a batch"):
        small().predict(np.zeros(shape, "float32"))


def test_samples_of_other_sizes_are_told_apart():
    with pytest.raises(InputError, match=r"takes \[1, 8, 8\] a sample; received \[1, 12, 12\]"):
        small().predict(np.zeros((1, 12, 12), "float32"))


def test_a_list_is_read_as_the_network_reads_numbers(recwarn):
    net = Sequential((4,)).dense(3).loss("mse")
    assert torch.equal(net.predict([1, 2, 3, 4]), net.predict(torch.tensor([1.0, 2, 3, 4])))
    words = Sequential((2,)).embedding(9, 3)
    assert words.predict([[1, 2]]).shape == (1, 2, 3)
    with pytest.raises(InputError, match="Input input expects numbers; received list"):
        net.predict(["a", "b", "c", "d"])
    assert not recwarn.list


def test_several_inputs_are_fed_by_name():
    a, b = Input((8,), "a"), Input((4,), "b")
    net = Network([a, b], a.dense(16, "relu").concat(b.dense(16, "relu")).dense(3))
    net.loss("cross_entropy")
    fed = {"a": torch.randn(60, 8), "b": torch.randn(60, 4)}
    run = net.fit(fed, torch.randint(0, 3, (60,)), epochs=2, folder=False)
    assert run.stop_reason == "finished"
    assert torch.allclose(net.predict(fed).sum(1), torch.ones(60))
    assert net.predict({name: value[0] for name, value in fed.items()}).shape == (3,)
    with pytest.raises(UnknownName, match="no input 'c'"):
        net.predict({"c": fed["a"]})
    with pytest.raises(InputError, match="reads a, b; received no b"):
        net.predict({"a": fed["a"]})
    with pytest.raises(InputError, match="one sample of every input"):
        net.predict({"a": fed["a"], "b": fed["b"][0]})


def test_several_outputs_come_by_name():
    a = Input((8,), "a")
    net = Network(a, {"y": a.dense(3), "z": a.dense(2)})
    out = net.predict(torch.zeros(5, 8))
    assert {name: tuple(t.shape) for name, t in out.items()} == {"y": (5, 3), "z": (5, 2)}
    assert net.predict(torch.zeros(8))["z"].shape == (2,)


def test_settings_reach_the_trainer():
    net = small().schedule("one_cycle").metrics("accuracy").training(seed=3, clip_norm=1.0)
    net.optimizer("sgd", lr=0.1, momentum=0.9)
    trainer = net.trainer
    assert (trainer.loss, trainer.optimizer, trainer.lr) == (
        "cross_entropy",
        "sgd(momentum=0.9)",
        0.1,
    )
    assert (trainer.schedule, trainer.metrics, trainer.seed, trainer.clip_norm) == (
        "one_cycle",
        ["accuracy"],
        3,
        1.0,
    )


def test_losses_and_optimizers_may_be_torchs():
    x, y = digits()
    net = small().loss(nn.CrossEntropyLoss(label_smoothing=0.1)).optimizer(torch.optim.SGD, lr=0.1)
    assert net.fit(x[:100], y[:100], epochs=1, folder=False).stop_reason == "finished"
    with pytest.raises(LayerError, match="Only a bare name takes options"):
        net.optimizer(torch.optim.SGD, momentum=0.9)


def test_while_a_run_trains_the_network_predicts_by_a_copy_and_cannot_change():
    x, y = digits()
    net = small()
    run = net.fit(x, y, epochs=2000, folder=False, background=True)
    try:
        assert net.predict(x[0]).shape == (10,)
        with pytest.raises(RunBusy):
            net.dense(3)
        with pytest.raises(RunBusy):
            net.remove("flatten")
    finally:
        run.stop()
        run.wait()
    assert len(net) == 4


def test_a_wrapped_module_trains():
    x, y = digits()
    net = Sequential(module=nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))
    run = net.fit(x[:200], y[:200], epochs=1, folder=False)
    assert run.stop_reason == "finished"
    assert net.predict(x[:3]).shape == (3, 10)


FAMILIES = {
    "feed-forward": lambda: Sequential((64,)).dense(32, "relu").dropout(0.1).dense(10),
    "convolutional": lambda: (
        Sequential((64,))
        .reshape(1, 8, 8)
        .conv2d(8, 3, padding=1)
        .batch_norm("relu")
        .residual(L.conv2d(8, 3, padding=1), "relu")
        .global_avg_pool2d()
        .dense(10)
    ),
    "recurrent": lambda: Sequential((64,)).reshape(8, 8).gru(32).dense(10),
    "transformer": lambda: (
        Sequential((64,))
        .reshape(8, 8)
        .positional_encoding()
        .transformer_encoder_layer(2, 32)
        .flatten()
        .dense(10)
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_trains(family):
    x, y = digits()
    torch.manual_seed(0)
    net = FAMILIES[family]().loss("cross_entropy").optimizer("adamw", lr=3e-3)
    x = x.reshape(len(x), -1)
    first = net.evaluate(x, y)["loss"]
    net.fit(x, y, epochs=2, batch_size=32, folder=False)
    assert net.evaluate(x, y)["loss"] < 0.95 * first


def test_the_two_halves_of_a_gan_train():
    from mlnb.train.trainer import Trainer

    x, _ = digits()
    torch.manual_seed(0)
    make = Sequential((8,), "generator").dense(64, "relu").dense(64, "sigmoid").reshape(1, 8, 8)
    tell = Sequential((1, 8, 8), "discriminator").flatten().dense(64, "leaky_relu").dense(1)
    bce = nn.functional.binary_cross_entropy_with_logits

    def step(batch, models, optimizers):
        real = batch[0] if isinstance(batch, tuple) else batch
        made = models["make"](torch.randn(len(real), 8))
        told = models["tell"](torch.cat((real, made.detach())))
        truth = torch.cat((torch.ones(len(real), 1), torch.zeros(len(real), 1)))
        losses = {"tell": bce(told, truth)}
        losses["tell"].backward()
        optimizers["tell"].step()
        optimizers["tell"].zero_grad()
        losses["make"] = bce(models["tell"](made), torch.ones(len(real), 1))
        losses["make"].backward()
        optimizers["make"].step()
        optimizers["make"].zero_grad()
        return losses

    models = {"make": make, "tell": tell}
    optimizers = {name: torch.optim.Adam(net.parameters(), 1e-3) for name, net in models.items()}
    run = Trainer(models, optimizer=optimizers, step=step).fit(x, epochs=1, folder=False)
    assert run.stop_reason == "finished"
    assert torch.isfinite(make.predict(torch.randn(3, 8))).all()
