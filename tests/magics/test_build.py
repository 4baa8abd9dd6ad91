"""`%%mlbuild`: networks in cells, cells that run again, mistakes, and what is shown."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from IPython.core.error import UsageError
from IPython.utils.capture import capture_output
from torch import nn

from mlnb.magics import layer_words
from mlnb.magics.cells import magic_first
from mlnb.networks.sequential import Sequential

FIRST = "%%mlbuild lenet --input 1x8x8\nconv2d 4 3 relu\nmax_pool2d 2\n"
SECOND = "%%mlbuild lenet\nflatten\ndense 10\n"


class Cells:
    """Cells of a front end that gives each an id, run one by one."""

    def __init__(self, notebook: Any) -> None:
        self.shell, self.names = notebook.shell, notebook.names

    def run(self, code: str, cell: str | None = None) -> str:
        """What the cell prints and shows as text; an error is raised."""
        with capture_output() as captured:
            ran = self.shell.run_cell(code, store_history=True, cell_id=cell)
        self.outputs = captured.outputs
        ran.raise_error()
        shown = [o.data.get("text/plain", "") for o in captured.outputs]
        return "\n".join([captured.stdout, *shown])

    def refused(self, code: str, cell: str | None = None) -> str:
        """The one line that is said of a mistake."""
        with pytest.raises(UsageError) as caught:
            self.run(code, cell)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def layers(self, name: str = "lenet") -> list[str]:
        return [layer.name for layer in self.names[name].layers]


@pytest.fixture
def cells(terminal: Any) -> Cells:
    torch.manual_seed(0)
    terminal.names["torch"] = torch
    return Cells(terminal)


@pytest.fixture
def lenet(cells: Cells) -> Cells:
    """Two cells with ids, run once each."""
    cells.run(FIRST, "a")
    cells.run(SECOND, "b")
    return cells


# ---------------------------------------------------------------------------------------- building


def test_another_cell_with_the_same_name_goes_on_building(lenet: Cells):
    net = lenet.names["lenet"]
    assert isinstance(net, Sequential)
    assert lenet.layers() == ["conv2d", "max_pool2d", "flatten", "dense"]
    assert (net.name, net.input_shape, net.output_shape) == ("lenet", (1, 8, 8), (10,))
    assert isinstance(net.module, nn.Sequential)


def test_the_same_cell_run_again_doubles_nothing_and_keeps_all(lenet: Cells):
    net, weights = lenet.names["lenet"], [id(p) for p in lenet.names["lenet"].parameters()]
    for _ in range(3):
        shown = lenet.run(FIRST, "a")
        lenet.run(SECOND, "b")
    assert lenet.names["lenet"] is net
    assert [id(p) for p in net.parameters()] == weights
    assert "new" not in shown


def test_a_changed_cell_replaces_what_it_added_and_the_later_ones_follow(lenet: Cells):
    shown = lenet.run(FIRST.replace("conv2d 4 3 relu", "conv2d 6 3 relu\ntanh"), "a")
    assert lenet.layers() == ["conv2d", "tanh", "max_pool2d", "flatten", "dense"]
    assert lenet.names["lenet"]["dense"].in_features == 6 * 9
    assert "new weights, for the shapes changed: conv2d, dense" in shown


def test_weights_whose_shapes_did_not_change_are_kept_and_not_named(lenet: Cells):
    before = lenet.names["lenet"]["conv2d"].weight.clone()
    shown = lenet.run(FIRST.replace("relu", "tanh padding=1"), "a")
    assert torch.equal(lenet.names["lenet"]["conv2d"].weight, before)
    assert "the shapes changed: dense\n" in shown + "\n"


def test_a_cell_may_change_the_input_that_it_said(lenet: Cells):
    lenet.run(FIRST.replace("1x8x8", "3x10x10"), "a")
    assert lenet.names["lenet"].input_shape == (3, 10, 10)
    said = lenet.refused("%%mlbuild lenet --input 1x8x8\nrelu", "c")
    assert said.startswith("lenet takes 3x10x10 a sample, as its first cell says: change it there")
    lenet.run("%%mlbuild lenet --input 3x10x10\nrelu", "c")


def test_reset_begins_anew_with_this_cell_and_new_weights(lenet: Cells):
    net = lenet.names["lenet"]
    before = net["conv2d"].weight.clone()
    lenet.run(FIRST.replace("1x8x8", "1x8x8 --reset"), "a")
    assert lenet.names["lenet"] is not net
    assert lenet.layers() == ["conv2d", "max_pool2d"]
    assert not torch.equal(lenet.names["lenet"]["conv2d"].weight, before)
    lenet.run("%%mlbuild lenet --reset\nrelu", "z")  # the input is known
    assert lenet.names["lenet"].input_shape == (1, 8, 8)


def test_a_network_made_in_python_is_built_on(cells: Cells):
    net = cells.names["net"] = Sequential((4,)).dense(3)
    cells.run("%%mlbuild net\nrelu", "a")
    cells.run("%%mlbuild net\nrelu", "a")
    assert cells.names["net"] is net
    assert cells.layers("net") == ["dense", "relu"]


def test_expressions_are_evaluated_in_the_users_names(cells: Cells):
    cells.names.update(width=3, clip=nn.Hardtanh(), chain=Sequential().relu().tanh())
    cells.run("%%mlbuild net --input 4\ndense {width + 2}\n{clip}\n{chain}\n{torch.square}", "a")
    assert cells.layers("net") == ["dense", "hardtanh", "relu", "tanh", "square"]
    assert cells.names["net"]["hardtanh"] is cells.names["clip"]


def test_the_input_may_be_a_variable_with_a_shape_or_a_batch(cells: Cells):
    cells.names.update(shape=(2, 3), images=torch.rand(7, 1, 5, 5))
    cells.run("%%mlbuild a --input shape\nrelu", "a")
    cells.run("%%mlbuild b --input images\nrelu", "b")
    cells.run("%%mlbuild c --input {images.shape[1]}\nrelu", "c")
    shapes = [cells.names[name].input_shape for name in "abc"]
    assert shapes == [(2, 3), (1, 5, 5), (1,)]


def test_without_an_input_the_layers_wait_for_data(cells: Cells):
    shown = cells.run("%%mlbuild net\ndense 3 relu\ndense 2", "a")
    assert "net: 2 layers" in shown
    assert "shapes are known with --input 1x28x28" in shown
    cells.run("%%mlbuild net\ndense 5 relu\ndense 2", "a")
    cells.names["net"].build(torch.rand(4, 7))
    assert cells.names["net"]["dense"].weight.shape == (5, 7)
    cells.run("%%mlbuild net\ndense 5 relu", "b")
    assert cells.layers("net") == ["dense", "dense_2", "dense_3"]


# -------------------------------------------------------------------------------- cells without ids


def test_without_ids_an_identical_body_replaces_itself(cells: Cells):
    cells.run(FIRST)
    cells.run(FIRST)
    assert cells.layers() == ["conv2d", "max_pool2d"]


def test_without_ids_a_changed_body_needs_a_name(cells: Cells):
    cells.run(FIRST)
    said = cells.refused(FIRST.replace("conv2d 4", "conv2d 5"))
    assert said == (
        "cells have no ids here, so this may be another cell or a changed one: write "
        "%%mlbuild lenet --name NAME, a NAME for each cell; or --reset to begin anew"
    )
    assert cells.layers() == ["conv2d", "max_pool2d"]
    cells.run(FIRST.replace("conv2d 4", "conv2d 5").replace("8x8", "8x8 --name first"))
    assert cells.names["lenet"]["conv2d"].out_channels == 5
    assert cells.layers() == ["conv2d", "max_pool2d"]


def test_a_name_does_what_an_id_does(cells: Cells):
    cells.run(FIRST)
    for units in (10, 10, 20):
        cells.run(f"%%mlbuild lenet --name head\nflatten\ndense {units}\n")
    cells.run("%%mlbuild lenet --name end\nrelu")
    assert cells.layers() == ["conv2d", "max_pool2d", "flatten", "dense", "relu"]
    assert cells.names["lenet"]["dense"].out_features == 20


def test_a_cell_with_an_id_that_gets_a_name_doubles_nothing(lenet: Cells):
    lenet.run(SECOND.replace("lenet", "lenet --name head"), "b")
    assert lenet.layers() == ["conv2d", "max_pool2d", "flatten", "dense"]
    lenet.run(SECOND, "b")
    assert lenet.layers() == ["conv2d", "max_pool2d", "flatten", "dense"]


def test_a_cell_may_build_twice_in_one_network(cells: Cells):
    code = (
        "for n in (3, 2):\n"
        "    get_ipython().run_cell_magic('mlbuild', 'net --input 4;', f'dense {n}')"
    )
    for _ in range(2):
        cells.run(code, "a")
        assert cells.layers("net") == ["dense", "dense_2"]
    cells.run(code.replace("(3, 2)", "(3,)"), "a")
    assert cells.layers("net") == ["dense"]


# ---------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("relu\nconv2d 3 3", "line 3, `conv2d 3 3`: `conv2d_2` expects [channels, height, width]"),
        ("dropuot 0.2", "line 2, `dropuot 0.2`: no layer 'dropuot'; did you mean 'dropout'?"),
        ("dense 3 4", "line 2, `dense 3 4`: `dense` takes out_features"),
        ("repeat 2:\n    dense {wdth}", "line 3, `dense {wdth}`: {wdth} gave NameError"),
        ("residual:\n    dense 3\n    reshape 1 3", "line 2, `residual:`: `residual` adds [1, 3]"),
    ],
)
def test_a_mistake_names_its_line_and_leaves_the_network_as_it_was(
    lenet: Cells, body: str, said: str
):
    net = lenet.names["lenet"]
    before, state = list(net.module.children()), torch.get_rng_state()
    error = lenet.refused(f"%%mlbuild lenet\n{body}\n", "c")
    assert error.startswith(f"cell {len(lenet.names['_ih']) - 1}, {said}")
    assert list(net.module.children()) == before
    assert torch.equal(torch.get_rng_state(), state)


def test_a_first_mistake_binds_nothing(cells: Cells):
    said = cells.refused("%%mlbuild net --input 8x8\nconv2d 3 3", "a")
    assert said.endswith("the input is [8, 8]. Write --input 1x8x8.")
    assert "net" not in cells.names


def test_a_later_cell_that_no_longer_fits_is_named_with_what_to_do(lenet: Cells):
    lenet.run("%%mlbuild lenet\nreshape 10 1 1\nconv2d 2 1", "c")
    number = len(lenet.names["_ih"]) - 1
    said = lenet.refused(SECOND.replace("dense 10", "dense 12"), "b")
    assert said.startswith(f"cell {number}, line 2, `reshape 10 1 1`: ")
    assert said.endswith("change it first, or begin anew with --reset.")
    assert lenet.names["lenet"]["dense"].out_features == 10


def test_a_wrapped_module_is_not_built_on(cells: Cells):
    cells.names["net"] = Sequential(module=nn.Linear(3, 2))
    said = cells.refused("%%mlbuild net\nrelu", "a")
    assert said.startswith("This network wraps a module")
    assert said.endswith("to put layers behind it.")


def test_nothing_else_of_the_users_is_taken_away(cells: Cells):
    cells.names["images"] = [1]
    said = cells.refused("%%mlbuild images --input 4\nrelu", "a")
    assert said == ("images is a list already; give the network another name: %%mlbuild NETWORK")
    assert cells.names["images"] == [1]
    assert "print" in cells.refused("%%mlbuild print --input 4\nrelu", "a")
    assert "cannot be a variable's name" in cells.refused("%%mlbuild le-net\nrelu", "a")


@pytest.mark.parametrize("shape", ["0x3", "1x-2", "nothing", "words", "3.5", "x", "axb"])
def test_what_is_no_shape_is_refused(cells: Cells, shape: str):
    cells.names["words"] = "1x2"
    assert shape in cells.refused(f"%%mlbuild net --input {shape}\nrelu", "a")
    assert "net" not in cells.names


def test_one_percent_sign_is_told_to_be_two(cells: Cells):
    assert "cell magic `%%mlbuild` exists" in cells.refused("%mlbuild net --input 4")


def test_unknown_options_are_refused_with_the_closest(cells: Cells):
    assert "did you mean '--show'" in cells.refused("%%mlbuild net --shwo python\nrelu")
    assert "no --show 'pyton'; did you mean 'python'" in cells.refused(
        "%%mlbuild net --show pyton\nrelu"
    )


# --------------------------------------------------------------------------- comments above, places


def test_a_comment_may_stand_above_the_magic_and_lines_keep_their_numbers(cells: Cells):
    cells.run("# a network\n\n%%mlbuild net --input 4\ndense 3  # units\n", "a")
    assert cells.layers("net") == ["dense"]
    said = cells.refused("# a network\n\n%%mlbuild net --input 4\nrelu\ndnse 3", "a")
    assert "line 5, `dnse 3`" in said


@pytest.mark.parametrize(
    "cell",
    [["x = 1\n", "%%mlbuild net\n"], ["# only\n"], [], ["# c\n", "%%time\n"], ["%mlio x\n"]],
)
def test_other_cells_are_left_as_they_are(cell: list[str]):
    assert magic_first(list(cell)) == cell


# ------------------------------------------------------------------------------------ what is shown


def test_the_table_marks_what_is_new_and_the_graph_does_as_well(notebook: Any):
    cells = Cells(notebook)
    cells.run(FIRST, "a")
    cells.run(SECOND, "b")
    table, picture, live = (output.data for output in cells.outputs)
    assert table["text/html"].count(">new</span>") == 2
    assert [line.split()[0] for line in table["text/plain"].splitlines()[5:7]] == ["new", "new"]
    assert "4 layers" in table["text/plain"]
    assert "data:image/svg+xml" in picture["text/html"]
    viewer = _widget(live)
    assert viewer.marked == ["flatten", "dense"]


def test_a_cell_without_a_table_or_a_graph_shows_the_other(notebook: Any):
    cells = Cells(notebook)
    cells.run(FIRST.replace("8x8", "8x8 --show table"), "a")
    assert [list(o.data) for o in cells.outputs] == [["text/plain", "text/html"]]
    cells.run(FIRST.replace("8x8", "8x8 --show graph --height 300"), "a")
    assert _widget(cells.outputs[-1].data).height == 300


def test_a_semicolon_shows_nothing(notebook: Any):
    cells = Cells(notebook)
    assert cells.run(FIRST.replace("8x8", "8x8;"), "a").strip() == ""
    assert cells.layers() == ["conv2d", "max_pool2d"]


def test_a_network_as_the_last_line_shows_its_table_and_its_graph(notebook: Any):
    cells = Cells(notebook)
    cells.run(FIRST, "a")
    shown = cells.run("lenet", "b")
    assert "conv2d_relu" in shown
    assert len(cells.outputs) == 3


def test_a_batch_shows_its_activations_in_each_layer(cells: Cells):
    cells.names["images"] = torch.rand(32, 1, 8, 8)
    shown = cells.run(FIRST.replace("1x8x8", "1x8x8 --sample images"), "a")
    assert "dead units" in shown
    assert "activations of 32 samples" in shown
    cells.run("%%mlbuild other --sample images\nflatten", "b")
    assert cells.names["other"].input_shape == (1, 8, 8)


def test_a_batch_of_other_samples_is_refused_before_anything_is_built(lenet: Cells):
    lenet.names["images"] = torch.rand(32, 3)
    said = lenet.refused("%%mlbuild lenet --sample images\nrelu", "c")
    assert said == "The network takes [1, 8, 8] a sample; received [3]."
    assert len(lenet.layers()) == 4


def test_a_batch_that_does_not_go_through_is_told(cells: Cells):
    cells.names["tokens"] = torch.full((4, 3), 99)
    said = cells.refused("%%mlbuild net --sample tokens\nembedding 10 4\nflatten", "a")
    assert said.startswith(
        "the layers stand, but the sample does not go through: index out of range"
    )


def test_the_python_that_does_the_same_does_the_same(lenet: Cells):
    code = lenet.run("%%mlbuild lenet --show python\nresidual:\n    dense {5 * 2}\n", "c")
    code = code.partition("Sequential('lenet'")[0].replace("Out[", "# Out[")
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["lenet"].layers == lenet.names["lenet"].layers
    assert "lenet.residual([\n    layers.dense(10),\n])" in code


def test_expressions_are_printed_as_they_were_written(cells: Cells):
    shown = cells.run("%%mlbuild net --input 4 --show python\n{torch.nn.Hardtanh()}", "a")
    assert "net.add(torch.nn.Hardtanh())" in shown
    assert "nn.Hardtanh(" in cells.run("%%mlbuild net --show torch\nrelu", "b")


def test_a_network_that_trains_is_left_alone(lenet: Cells, monkeypatch: pytest.MonkeyPatch):
    from mlnb.errors import RunBusy
    from mlnb.train import active

    def busy(modules: Any) -> None:
        raise RunBusy("the run 'lenet' trains it")

    monkeypatch.setattr(active, "refuse", busy)
    assert "trains it" in lenet.refused(SECOND.replace("10", "12"), "b")
    assert lenet.names["lenet"]["dense"].out_features == 10


def test_mltrain_uses_what_a_network_was_set_to_and_predict_answers_accordingly(cells: Cells):
    cells.run("%%mlbuild net --input 4\ndense 3", "a")
    cells.names["data"] = torch.rand(40, 4), torch.randint(0, 3, (40,))
    cells.run("run = %mltrain net --data data --epochs 1 --folder no;", "b")
    out = cells.names["net"].predict(cells.names["data"][0])
    assert torch.allclose(out.sum(1), torch.ones(40))
    cells.run("net.optimizer('sgd', lr=0.5)", "c")
    cells.run("run = %mltrain net --data data --epochs 1 --folder no;", "b")
    assert cells.names["run"].history["lr"][-1] == 0.5


# -------------------------------------------------------------------------------------- completion


@pytest.mark.parametrize(
    ("body", "offered"),
    [
        ("conv2", ["conv2d"]),
        ("    residu", ["residual"]),
        ("conv2d 32 3 re", ["relu", "relu6"]),
        ("conv2d 32 3 relu padd", ["padding=", "padding_mode="]),
        ("conv2d 32 3 padding=", ["padding=same", "padding=valid"]),
        ("gru 3 returns=", ["returns=all", "returns=last"]),
        ("branches me", ["merge="]),
        ("branches:\n    bra", ["branch:", "branches"]),
        ("dense {wid", ["width"]),
        ("conv2d 3 # re", []),
    ],
)
def test_words_keywords_activations_and_variables_are_completed(
    terminal: Any, body: str, offered: list[str]
):
    terminal.names["width"] = 3
    *above, line = ["# a comment", "%%mlbuild net --input 4", *body.split("\n")]
    assert layer_words.is_body(above)
    found = layer_words.complete_line(terminal.shell, line)[1]
    assert sorted(found) == sorted(offered)


def test_options_and_networks_are_completed_on_the_line(terminal: Any):
    terminal.names["lenet"] = Sequential((4,))
    assert terminal.complete("%%mlbuild le") == ["%%mlbuild lenet"]
    assert terminal.complete("%%mlbuild lenet --sh") == ["%%mlbuild lenet --show"]
    assert terminal.complete("%%mlbuild lenet --show p") == ["%%mlbuild lenet --show python"]
    assert terminal.complete("%%mlbuild net\ndens") == ["%%mlbuild net\ndense"]


def _widget(data: dict[str, Any]) -> Any:
    from ipywidgets.widgets import widget

    return widget._instances[data["application/vnd.jupyter.widget-view+json"]["model_id"]]
