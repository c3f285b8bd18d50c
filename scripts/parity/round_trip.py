"""Models that clha loaded and saved, loaded in transformers: the logits that clha computes.

    pip install torch transformers
    npm run setup && python scripts/parity/round_trip.py --models test/fixtures/models

The recorded folders are saved in shards; an adapter is saved merged. One line a model with the largest difference;
exit 1 where one is above the tolerance. Encoders are only read by clha, never saved, and are named as such.
"""
import argparse, json, os, subprocess, sys, tempfile, warnings
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TQDM_DISABLE", "1")
import torch
import transformers
from oasst_reward import GPTNeoXRewardModel
from safetensors.torch import load_file

warnings.simplefilter("ignore")
transformers.utils.logging.disable_progress_bar()
HERE = Path(__file__).parent
TOLERANCE = {"lm": 1e-4, "reward": 5e-5}


def read(folder):
    architecture = json.loads((folder / "config.json").read_text())["architectures"][0]
    cls = GPTNeoXRewardModel if architecture == "GPTNeoXRewardModel" else getattr(transformers, architecture)
    model, info = cls.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32, output_loading_info=True)
    wrong = {k: sorted(v) for k, v in info.items() if v and k in ("missing_keys", "unexpected_keys", "mismatched_keys")}
    if wrong:
        raise ValueError(f"tensors do not fit: {wrong}")
    return model.eval()


def outputs(model, ids):
    """Logits of each position, or the one reward, of a row without padding."""
    row = torch.tensor([ids])
    with torch.no_grad():
        return model(input_ids=row, attention_mask=torch.ones_like(row)).logits[0].flatten().double()


def compare(name, result, rows, work):
    """-> largest difference from clha's own numbers, and the tolerance"""
    model = read(work / name)
    there = torch.cat([outputs(model, ids) for ids in rows])
    here = torch.tensor(sum(result["outputs"], []), dtype=torch.float64)
    return (there - here).abs().max().item(), TOLERANCE[result["head"]]


def inputs(folder):
    """Rows without padding, of every model that has some."""
    found = {}
    for path in sorted(folder.glob("*/expected.safetensors")):
        t = load_file(path)
        found[path.parent.name] = [row[mask == 1].tolist() for row, mask in zip(t["input_ids"], t["attention_mask"])]
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path, required=True, help="folder of model folders with expected.safetensors")
    args = parser.parse_args()
    rows = inputs(args.models)
    print("torch", version("torch"), "transformers", version("transformers"), flush=True)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as work:
        given = Path(work) / "inputs.json"
        given.write_text(json.dumps(rows))
        run = subprocess.run(["node", HERE / "round_trip.mjs", args.models, work, given], capture_output=True, text=True)
        if run.returncode:
            sys.exit(run.stderr.strip()[-1000:])
        for name, result in json.loads(run.stdout).items():
            if "deberta" in name:
                print(f"skip {name}: an encoder, which clha never saves")
                continue
            try:
                if "error" in result:
                    raise RuntimeError(result["error"])
                largest, tolerance = compare(name, result, rows[name], Path(work))
                ok, text = largest <= tolerance, f"{largest:.1e} of {tolerance:.0e}"
            except Exception as error:  # one line a model, whatever goes wrong in it
                ok, text = False, f"{type(error).__name__}: {str(error).strip()[-300:]}"
            print(f"{'ok  ' if ok else 'FAIL'} {name}: {text}", flush=True)
            passed, failed = passed + ok, failed + (not ok)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
