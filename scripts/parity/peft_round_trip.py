"""Adapters written by clha load in PEFT with the same logits, and adapters written by PEFT load in clha.

    pip install torch transformers peft
    npm run setup && python scripts/parity/peft_round_trip.py --models test/fixtures/models

One line a model and setting with the largest difference; exit 1 where one is above the tolerance.
"""
import argparse, json, os, subprocess, sys, tempfile, warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TQDM_DISABLE", "1")
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

warnings.simplefilter("ignore")
HERE = Path(__file__).parent
TOLERANCE = 1e-4
IDS = [5, 17, 3, 42, 8, 60, 33, 71, 12]  # no special tokens: some models score before their padding
PLAIN = {"r": 4, "alpha": 8, "dropout": 0, "targetModules": "all-linear", "useRslora": False, "modulesToSave": []}
# Trained whole; the tied embedding of GPT-2 is refused, for PEFT does not keep it tied.
WHOLE = {"gpt2": "ln_f", "gpt_neox": "embed_in"}


def clha(mode, base, folder, lora):
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as f:
        json.dump({"ids": IDS, "lora": lora}, f)
    run = subprocess.run(["node", HERE / "peft_round_trip.mjs", mode, base, folder, f.name], capture_output=True, text=True)
    os.unlink(f.name)
    if run.returncode:
        raise RuntimeError(run.stderr.strip()[-600:])
    return torch.tensor(json.loads(run.stdout)["outputs"], dtype=torch.float64)


def base_model(path, reward):
    cls = AutoModelForSequenceClassification if reward else AutoModelForCausalLM
    return cls.from_pretrained(path, attn_implementation="eager", dtype=torch.float32).eval()


def outputs(model, reward):
    ids = torch.tensor([IDS])
    with torch.no_grad():
        if not reward:
            return model(ids).logits[0].flatten().double()
        return torch.stack([model(ids[:, : i + 1], attention_mask=torch.ones(1, i + 1)).logits[0, 0] for i in range(len(IDS))]).double()


def kind(path):
    """Whether it scores, and its model type; None where PEFT has no class for it."""
    config = json.loads((path / "config.json").read_text())
    architecture = config["architectures"][0]
    if architecture.endswith(("ForCausalLM", "LMHeadModel")):
        return False, config["model_type"]
    # clha only reads encoders
    return (True, config["model_type"]) if architecture.endswith("ForSequenceClassification") and "Deberta" not in architecture else None


def settings(model_type, reward):
    yield "all-linear", PLAIN
    yield "rslora", {**PLAIN, "useRslora": True}
    if not reward:
        yield "modules_to_save", {**PLAIN, "modulesToSave": [WHOLE.get(model_type, "embed_tokens")]}


def round_trip(path, name, reward, label, lora, work):
    ours = work / f"{name}-{label}"
    written = clha("make", path, ours, lora)
    peft = PeftModel.from_pretrained(base_model(path, reward), ours).eval()
    read_there = (outputs(peft, reward) - written).abs().max().item()
    merged = (outputs(peft.merge_and_unload(), reward) - written).abs().max().item()
    theirs = work / f"{name}-{label}-peft"
    task = "SEQ_CLS" if reward else "CAUSAL_LM"
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type=task, use_rslora=lora["useRslora"],
                        modules_to_save=lora["modulesToSave"] or None, ensure_weight_tying="embed_tokens" in lora["modulesToSave"])
    torch.manual_seed(3)
    model = get_peft_model(base_model(path, reward), config).eval()
    with torch.no_grad():
        for parameter_name, p in model.named_parameters():
            if "lora_" in parameter_name:
                p.normal_(0, 0.2)
            elif p.requires_grad:
                p.add_(torch.randn_like(p) * 0.05)
    model.save_pretrained(theirs)
    read_here = (outputs(model, reward) - clha("read", path, theirs, PLAIN)).abs().max().item()
    return read_there, merged, read_here


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path, required=True, help="folder of model folders")
    parser.add_argument("--only", nargs="*", help="names of folders; all of them when left out")
    args = parser.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as work:
        for path in sorted(config.parent for config in args.models.glob("*/config.json")):
            name, known = path.name, kind(path)
            if known is None or (args.only and name not in args.only):
                continue
            reward, model_type = known
            for label, lora in settings(model_type, reward):
                try:
                    found = round_trip(path, name, reward, label, lora, Path(work))
                    ok = all(d <= TOLERANCE for d in found)
                    text = "written here, read by PEFT {:.1e}, merged there {:.1e}; written by PEFT, read here {:.1e}".format(*found)
                except Exception as error:  # one line a case, whatever goes wrong in it
                    ok, text = False, f"{type(error).__name__}: {str(error).strip()[-300:]}"
                print(f"{'ok  ' if ok else 'FAIL'} {name} {label}: {text}", flush=True)
                passed, failed = passed + ok, failed + (not ok)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
