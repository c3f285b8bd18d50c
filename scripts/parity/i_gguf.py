"""Small models of every family that llama.cpp has, as Hugging Face folders, and what llama.cpp's own converter makes of them.

    python i_gguf.py LLAMA_CPP LIBRARIES OUT     # llama.cpp's sources; its shared libraries; a new folder
    (torch, transformers, peft, sentencepiece, numpy)

OUT/<case>/model is the folder, adapter a LoRA on it; OUT/<case>/<type>.gguf the reference in f32, f16, bf16, q8_0 and q4_k_m. Tokenizers are trained here on
the pages of docs/; where the converter knows a tokenizer by the hash of a published one only, it is told which cutting ours has.
"""
import ctypes
import glob
import io
import json
import os
import shutil
import sys
from pathlib import Path

import torch

SOURCES, LIBRARIES, OUT = sys.argv[1:]
sys.path[:0] = [SOURCES, f"{SOURCES}/gguf-py"]
import gguf  # noqa: E402
from conversion import get_model_class  # noqa: E402
from conversion.base import ModelBase, TextModel  # noqa: E402
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers  # noqa: E402
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast  # noqa: E402

DOCS = [Path(p).read_text() for p in sorted(glob.glob("docs/*.md"))]
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
ROWS = 1088  # of the embeddings: more than the tokenizers have ids


def save_tokenizer(fast, folder, **config):
    fast.save(f"{folder}/tokenizer.json")
    whole = {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": TEMPLATE, **config}
    Path(f"{folder}/tokenizer_config.json").write_text(json.dumps(whole))


def byte_level(folder, pre):
    split = lambda pattern: pre_tokenizers.Split(Regex(pattern), "isolated")  # noqa: E731
    bytes_ = lambda regex: pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=regex)  # noqa: E731
    steps = {
        "gpt-2": bytes_(True),
        "olmo": bytes_(True),
        "smollm": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), bytes_(True)]),
        "llama-bpe": pre_tokenizers.Sequence([split(LLAMA3), bytes_(False)]),
        "qwen2": pre_tokenizers.Sequence([split(QWEN2), bytes_(False)]),
    }
    fast = Tokenizer(models.BPE(ignore_merges=pre == "llama-bpe"))
    fast.normalizer = normalizers.NFC() if pre in ("olmo", "qwen2") else None
    fast.pre_tokenizer = steps[pre]
    fast.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1000, special_tokens=SPECIALS, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    fast.train_from_iterator(DOCS, trainer)
    fast.add_tokens([AddedToken("<think>", special=False, normalized=False)])
    bos = "<|endoftext|>"
    if pre == "llama-bpe":
        ids = [(bos, fast.token_to_id(bos))]
        fast.post_processor = processors.TemplateProcessing(f"{bos} $A", f"{bos} $A {bos}:1 $B:1", ids)
    save_tokenizer(fast, folder, bos_token=bos, eos_token="<|im_end|>", pad_token=bos)


def sentence_piece(folder, prefix, with_model):
    import sentencepiece as spm
    from sentencepiece import sentencepiece_model_pb2 as proto

    made = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(line for text in DOCS for line in text.splitlines() if line),
        model_writer=made, model_type="bpe", vocab_size=1000, byte_fallback=True, character_coverage=0.99,
        add_dummy_prefix=prefix, remove_extra_whitespaces=False, normalization_rule_name="identity",
        control_symbols=[], user_defined_symbols=[], minloglevel=2,
    )
    pieces = proto.ModelProto.FromString(made.getvalue()).pieces
    scores = [p.score for p in pieces]
    vocab = {p.piece: i for i, p in enumerate(pieces)}
    merges = [
        (scores[i], vocab[p.piece[:k]], vocab[p.piece[k:]], p.piece[:k], p.piece[k:])
        for i, p in enumerate(pieces) if p.type == 1
        for k in range(1, len(p.piece)) if p.piece[:k] in vocab and p.piece[k:] in vocab
    ]
    merges.sort(key=lambda m: (-m[0], m[1], m[2]))
    fast = Tokenizer(models.BPE(vocab, [m[3:] for m in merges], unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    replace = normalizers.Replace(" ", "▁")
    fast.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), replace]) if prefix else replace
    strip = [decoders.Strip(" ", 1, 0)] if prefix else []
    fast.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip])
    fast.add_special_tokens(["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"])
    fast.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A <s>:1 $B:1", [("<s>", 1)])
    config = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "add_bos_token": True, "add_eos_token": False}
    config["added_tokens_decoder"] = {
        str(fast.token_to_id(t)): {"content": t, "special": True} for t in ("<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>")
    }
    save_tokenizer(fast, folder, **config)
    if with_model:
        Path(f"{folder}/tokenizer.model").write_bytes(made.getvalue())


LLAMA = dict(
    model_type="llama", vocab_size=ROWS, hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5, initializer_range=0.2, tie_word_embeddings=False,
)
ROPE3 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)
NEOX = dict(
    model_type="gpt_neox", vocab_size=ROWS, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=256, initializer_range=0.2, rotary_pct=0.25, rotary_emb_base=10000, tie_word_embeddings=False,
)
GEMMA = dict(
    LLAMA, head_dim=16, tie_word_embeddings=True, hidden_activation="gelu_pytorch_tanh", query_pre_attn_scalar=16, sliding_window=32,
)
CASES = {
    "llama": (dict(LLAMA), "smollm", torch.float32),
    "llama-tied-bf16": (dict(LLAMA, tie_word_embeddings=True), "llama-bpe", torch.bfloat16),
    "llama-f16": (dict(LLAMA), "spm", torch.float16),
    "llama-bias": (dict(LLAMA, attention_bias=True, mlp_bias=True), "gpt-2", torch.float32),
    "llama-rope3": (dict(LLAMA, hidden_size=256, num_attention_heads=4, rope_parameters=ROPE3), "llama-bpe", torch.float32),
    "llama-linear": (dict(LLAMA, rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.0)), "spm-json", torch.float32),
    "mistral": (dict(LLAMA, model_type="mistral", head_dim=32, sliding_window=None), "spm", torch.float32),
    "qwen2": (dict(LLAMA, model_type="qwen2"), "qwen2", torch.float32),
    "qwen3": (dict(LLAMA, model_type="qwen3", head_dim=32, tie_word_embeddings=True), "qwen2", torch.float32),
    "gemma2": (dict(GEMMA, model_type="gemma2", num_hidden_layers=4), "spm-bare", torch.float32),
    "gemma2-f16": (dict(GEMMA, model_type="gemma2", num_hidden_layers=2), "spm-bare", torch.float16),
    "gemma3": (dict(GEMMA, model_type="gemma3_text", num_hidden_layers=7), "spm-bare", torch.float32),
    "phi3": (dict(LLAMA, model_type="phi3", partial_rotary_factor=0.75, hidden_size=128, pad_token_id=0), "spm", torch.float32),
    "gptneox-parallel": (dict(NEOX), "olmo", torch.float32),
    "gptneox-sequential": (dict(NEOX, use_parallel_residual=False, rotary_pct=0.5), "olmo", torch.float32),
    "gpt2": (dict(model_type="gpt2", vocab_size=ROWS, n_embd=64, n_layer=2, n_head=4, n_positions=256, initializer_range=0.2), "gpt-2", torch.float32),
    "llama-wide": (dict(LLAMA, hidden_size=256, intermediate_size=512, num_hidden_layers=9), "smollm", torch.float32),
    "phi3-wide": (dict(LLAMA, model_type="phi3", hidden_size=256, intermediate_size=256, num_hidden_layers=9, pad_token_id=0), "spm", torch.float32),
}


def make(folder, config, tokenizer, dtype):
    os.makedirs(folder)
    torch.manual_seed(1301)
    config = AutoConfig.for_model(**config)
    config.bos_token_id = config.eos_token_id = None
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 1:
                weight.add_(0.2 * torch.randn_like(weight))
    model.to(dtype).save_pretrained(folder)
    if tokenizer.startswith("spm"):
        sentence_piece(folder, prefix=tokenizer != "spm-bare", with_model=tokenizer != "spm-json")
    else:
        byte_level(folder, tokenizer)


def make_adapter(folder, model):
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(7)
    base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    peft = get_peft_model(base, LoraConfig(r=4, lora_alpha=6, use_rslora=True, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, weight in peft.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    peft.save_pretrained(folder)


TYPES = {"f32": "ALL_F32", "f16": "MOSTLY_F16", "bf16": "MOSTLY_BF16", "q8_0": "MOSTLY_Q8_0"}
# The converter asks for names that transformers 5 spells otherwise.
OLDER = {"gpt2": lambda c: {"n_ctx": c["n_positions"]}, "gpt_neox": lambda c: {"rotary_pct": c["rope_parameters"]["partial_rotary_factor"]}}


def convert(folder, target, kind, pre):
    hparams = ModelBase.load_hparams(Path(folder), False)
    hparams |= OLDER.get(hparams["model_type"], lambda c: {})(hparams)
    if hparams["model_type"] == "phi3":
        hparams["rope_parameters"].setdefault("original_max_position_embeddings", hparams["original_max_position_embeddings"])
    TextModel.get_vocab_base_pre = lambda self, tokenizer: pre
    model = get_model_class(hparams["architectures"][0])
    model(Path(folder), getattr(gguf.LlamaFileType, kind), Path(target), hparams=hparams, eager=True).write()


def quantizer():
    for name in ("libggml-base.so", "libggml.v0.5.0.so"):
        ctypes.CDLL(f"{LIBRARIES}/{name}", mode=ctypes.RTLD_GLOBAL)
    llama = ctypes.CDLL(glob.glob(f"{LIBRARIES}/libllama.v*.so")[0], mode=ctypes.RTLD_GLOBAL)

    class Params(ctypes.Structure):  # llama_model_quantize_params begins so; the rest is left at its defaults
        _fields_ = [("nthread", ctypes.c_int32), ("ftype", ctypes.c_int32), ("rest", ctypes.c_uint8 * 256)]

    llama.llama_model_quantize_default_params.restype = Params
    llama.llama_model_quantize.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(Params)]

    def run(source, target):
        params = llama.llama_model_quantize_default_params()
        params.nthread, params.ftype = 1, 15
        assert llama.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(params)) == 0, source

    return run


if __name__ == "__main__":
    import logging

    logging.disable(logging.WARNING)
    shutil.rmtree(OUT, ignore_errors=True)
    only = os.environ.get("ONLY", "").split(",") if os.environ.get("ONLY") else CASES
    quantize = quantizer()
    for name in only:
        config, tokenizer, dtype = CASES[name]
        make(f"{OUT}/{name}/model", config, tokenizer, dtype)
        make_adapter(f"{OUT}/{name}/adapter", f"{OUT}/{name}/model")
        for type_, kind in TYPES.items():
            convert(f"{OUT}/{name}/model", f"{OUT}/{name}/{type_}.gguf", kind, tokenizer)
        quantize(f"{OUT}/{name}/f32.gguf", f"{OUT}/{name}/q4_k_m.gguf")
        print(name, flush=True)
