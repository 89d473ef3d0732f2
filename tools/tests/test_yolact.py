"""The networks, priors and cards against the reference's listed names, shapes and sums."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch

from yolact.boxes import corners, decode, encode
from yolact.cards import paper_card
from yolact.config import DEMO, PAPER
from yolact.model import ExportGraph, Yolact
from yolact.priors import make_priors
from yolact.weights import clean_keys, load_checkpoint, random_network

ROOT = Path(__file__).resolve().parents[2]
LISTED = ROOT.parent / "shared" / "data" / "yolact" / "yolact_configs.json"


@pytest.fixture(scope="module")
def listed() -> dict:
    if not LISTED.exists():
        pytest.skip(f"no {LISTED.name} beside the repository")
    return json.loads(LISTED.read_text())


@pytest.mark.parametrize("name", PAPER)
def test_a_state_dict_with_exactly_the_listed_keys_loads(listed, name, tmp_path):
    state = {key: torch.zeros(shape, dtype=torch.long if key.endswith("num_batches_tracked") else torch.float32)
             for key, shape in listed[name]["state_dict"].items()}
    torch.save(state, tmp_path / "weights.pth")
    network = load_checkpoint(PAPER[name], tmp_path / "weights.pth")
    assert list(network.state_dict()) and set(network.state_dict()) == set(state)


def test_old_checkpoints_lose_their_duplicates_and_surplus_layers():
    state = Yolact(DEMO).state_dict()
    old = dict(state)
    old["backbone.layer1.0.conv1.weight"] = torch.zeros(1)
    old["fpn.downsample_layers.2.weight"] = torch.zeros(1)
    assert set(clean_keys(old)) == set(state)


def test_an_unknown_name_is_refused(tmp_path):
    state = Yolact(DEMO).state_dict() | {"backbone.extra": torch.zeros(1)}
    torch.save(state, tmp_path / "weights.pth")
    with pytest.raises(RuntimeError, match="backbone.extra"):
        load_checkpoint(DEMO, tmp_path / "weights.pth")


@pytest.mark.parametrize("name", PAPER)
def test_priors_equal_the_reference(listed, name):
    priors = make_priors(PAPER[name])
    assert priors.shape == (listed[name]["num_priors"], 4)
    first, last = np.float32(listed[name]["priors_first"]), np.float32(listed[name]["priors_last"])
    np.testing.assert_array_equal(priors[:len(first)], first)
    np.testing.assert_array_equal(priors[-len(last):], last)
    np.testing.assert_allclose(priors.astype(np.float64).sum(0), listed[name]["priors_sum"], rtol=1e-9)


@pytest.mark.parametrize("size", [(256, 256), (192, 320), (201, 135)])
def test_priors_in_the_graph_follow_the_size(size):
    graph = ExportGraph(random_network(DEMO, 3), dynamic_size=True)
    with torch.no_grad():
        loc, conf, mask, priors, proto = graph(torch.zeros(1, 3, *size))
    np.testing.assert_allclose(priors.numpy(), make_priors(DEMO, size), atol=2e-7)
    assert loc.shape[1] == conf.shape[1] == mask.shape[1] == priors.shape[0]


def test_random_weights_neither_vanish_nor_saturate():
    graph = ExportGraph(random_network(DEMO, 5)).eval()
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(1, 3, 16, 16, generator=generator)
    with torch.no_grad():
        loc, conf, mask, _, proto = graph(torch.nn.functional.interpolate(coarse, size=(256, 256), mode="bicubic"))
    assert 0.1 < loc.std() < 2 and 0.1 < mask.std() < 0.6 and 0.3 < proto.std() < 3
    assert conf.max() < 0.999 and abs(float(conf.sum(-1).mean()) - 1) < 1e-5


def test_decoding_inverts_encoding():
    generator = torch.Generator().manual_seed(0)
    priors = torch.from_numpy(make_priors(DEMO))[:100]
    boxes = corners(torch.rand(100, 4, generator=generator) * 0.5 + 0.1)
    torch.testing.assert_close(decode(encode(boxes, priors), priors), boxes, atol=1e-5, rtol=1e-5)


def test_every_card_follows_the_schema_and_the_five_equal_their_configuration():
    schema = json.loads((ROOT / "schemas" / "model-card.schema.json").read_text())
    cards = sorted((ROOT / "models").glob("*.card.json"))
    assert {path.name for path in cards} >= {f"{name}.card.json" for name in PAPER}
    for path in cards:
        card = json.loads(path.read_text())
        jsonschema.Draft202012Validator(schema).validate(card)
        if card["name"] in PAPER:
            assert card == paper_card(PAPER[card["name"]])
        assert len(card.get("category_ids", card["labels"])) == len(card["labels"])
