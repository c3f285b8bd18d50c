# Records adapters as PEFT writes them, with the logits of six tokens: python h_adapters.py test/fixtures (transformers, peft).
import json, os, shutil, sys
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

FIXTURES = sys.argv[1]
IDS = [1, 5, 9, 2, 7, 3]
QV = ["q_proj", "v_proj"]


def case(name, base, noise=False, rows=None, embeddings=False, **config):
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(f"{FIXTURES}/models/{base}", dtype=torch.float32, attn_implementation="eager")
    if rows:
        model.resize_token_embeddings(rows)
    peft = get_peft_model(model, LoraConfig(r=2, lora_alpha=4, task_type="CAUSAL_LM", **config))
    for key, weight in peft.named_parameters():
        if any(part in key for part in ("lora_B", "lora_embedding", "modules_to_save")):
            torch.nn.init.normal_(weight, std=0.3)
    if noise:
        with torch.no_grad():
            table = model.get_input_embeddings().weight
            table.add_(0.3 * torch.randn_like(table))
    folder = f"{FIXTURES}/peft/{name}"
    shutil.rmtree(folder, ignore_errors=True)
    peft.save_pretrained(folder, **({"save_embedding_layers": True} if embeddings else {}))
    os.remove(f"{folder}/README.md")
    path = f"{folder}/adapter_config.json"
    with open(path) as file:
        written = json.load(file)
    written["base_model_name_or_path"] = f"../../models/{base}"
    for key in ("target_modules",):
        if isinstance(written[key], list):
            written[key].sort()
    with open(path, "w") as file:
        json.dump(written, file, indent=2, sort_keys=True)
        file.write("\n")
    peft.eval()
    with torch.no_grad():
        logits = peft(torch.tensor([IDS])).logits[0]
    save_file({"logits": logits.contiguous()}, f"{folder}/expected.safetensors")


# Embeddings that PEFT saves by itself: changed, tied, with more rows, with fewer, with modules_to_save.
case("embeddings", "llama_gqa", noise=True, embeddings=True, target_modules=QV)
case("embeddings_tied", "llama_tied", noise=True, embeddings=True, target_modules=QV)
case("more_rows", "llama_gqa", rows=140, embeddings=True, target_modules=QV)
case("fewer_rows", "llama_gqa", rows=100, embeddings=True, target_modules=QV)
case("rows_saved", "llama_gqa", rows=140, target_modules=QV, modules_to_save=["embed_tokens", "lm_head"])
# Low-rank maps of embedding and head.
case("lora_both", "llama_gqa", target_modules=QV + ["embed_tokens", "lm_head"])
case("lora_rows", "llama_gqa", rows=140, target_modules=QV + ["embed_tokens", "lm_head"])
case("lora_embedding_tied", "llama_tied", target_modules=QV + ["embed_tokens"])
case("lora_head_tied", "llama_tied", target_modules=QV + ["lm_head"])
case("lora_wte", "gpt2", target_modules=["c_attn", "wte"])
case("lora_scaled", "gemma2", target_modules=["q_proj", "embed_tokens"])
case("lora_regex", "llama_gqa", target_modules=r".*(q_proj|lm_head)")
# Names of modules_to_save: ends of names, whole modules, and what target_modules names too.
case("save_ends", "llama_gqa", target_modules=QV, modules_to_save=["norm"])
case("save_holder", "llama_gqa", target_modules=QV, modules_to_save=["0.mlp"])
case("save_part", "llama_gqa", target_modules=QV, modules_to_save=["0.self_attn.o_proj", "_head"])
case("save_both", "llama_gqa", target_modules=QV, modules_to_save=["q_proj", "lm_head"])
