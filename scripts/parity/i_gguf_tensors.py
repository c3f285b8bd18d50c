"""Hashes of the tensors that llama.cpp's own converter makes of test/fixtures/models, for test/models/gguf:

    python i_gguf_tensors.py LLAMA_CPP test/fixtures     # writes test/fixtures/gguf/tensors.json
"""
import hashlib
import json
import logging
import sys
import tempfile
from pathlib import Path

SOURCES, FIXTURES = sys.argv[1:]
sys.path[:0] = [SOURCES, f"{SOURCES}/gguf-py"]
import gguf  # noqa: E402
from conversion import get_model_class  # noqa: E402
from conversion.base import ModelBase  # noqa: E402

MODELS = "llama_gqa llama_bias llama_rope_llama3 llama_bf16 llama_fp16 mistral_swa qwen2 qwen3 gemma2 gemma3_text phi3 gpt_neox_parallel gpt2"
TYPES = {"f32": "ALL_F32", "f16": "MOSTLY_F16", "bf16": "MOSTLY_BF16", "q8_0": "MOSTLY_Q8_0"}
logging.disable(logging.WARNING)
recorded = {}
for name in MODELS.split():
    folder = Path(f"{FIXTURES}/models/{name}")
    hparams = ModelBase.load_hparams(folder, False)
    if name.startswith("gpt_neox"):
        hparams["rotary_pct"] = hparams["rope_parameters"]["partial_rotary_factor"]
    if name == "gpt2":
        hparams["n_ctx"] = hparams["n_positions"]
    if name == "phi3":
        hparams["rope_parameters"]["original_max_position_embeddings"] = hparams["original_max_position_embeddings"]
    # The converter looks for it beside the rotary settings, not in them.
    if (positions := (hparams.get("rope_parameters") or {}).get("original_max_position_embeddings")) is not None:
        hparams["original_max_position_embeddings"] = positions
    recorded[name] = {}
    for kind, file_type in TYPES.items():
        base = get_model_class(hparams["architectures"][0])
        model = type("Model", (base,), {"model_arch": base.model_arch, "set_vocab": lambda self: None})
        with tempfile.TemporaryDirectory() as out:
            if name == "gemma3_text":  # the converter counts its tokens in a file that is not there
                vocab = {str(i): i for i in range(hparams["vocab_size"])}
                (Path(out) / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocab}, "added_tokens": []}))
                for file in folder.iterdir():
                    (Path(out) / file.name).symlink_to(file.resolve())
                folder_ = Path(out)
            else:
                folder_ = folder
            path = Path(out) / "model.gguf"
            model(folder_, getattr(gguf.LlamaFileType, file_type), path, hparams=dict(hparams), eager=True).write()
            tensors = gguf.GGUFReader(path).tensors
            recorded[name][kind] = {
                t.name: f"{t.tensor_type.name} {hashlib.sha256(t.data.tobytes()).hexdigest()[:16]}" for t in tensors
            }
Path(f"{FIXTURES}/gguf/tensors.json").write_text(json.dumps(recorded, indent=0, sort_keys=True) + "\n")
