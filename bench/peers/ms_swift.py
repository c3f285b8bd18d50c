"""ms-swift's CPO trainer (SimPO loss): at most 512 tokens, no checkpointing, as its command line sets it up."""

import json
import os
import tempfile

import common as c

os.environ.setdefault("MODELSCOPE_OFFLINE", "1")
from swift.pipelines.train.rlhf import SwiftRLHF  # noqa: E402  after the environment is set
from trainer_rounds import Rounds, rows_in_order  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

MICRO = c.SPEC["microSize"]


class Pipeline(SwiftRLHF):
    def train(self, trainer):
        trainer.add_callback(Rounds())
        trainer.train()


def written(folder):
    """Model and data as files, which is how they are named on the command line."""
    c.language_model().save_pretrained(f"{folder}/model")
    AutoTokenizer.from_pretrained(c.DATA["tokenizer"]).save_pretrained(f"{folder}/model")
    with open(f"{folder}/data.jsonl", "w", encoding="utf-8") as file:
        for row in rows_in_order():
            prompt, chosen, rejected = row["texts"]
            turns = [dict(role="user", content=prompt), dict(role="assistant", content=chosen)]
            file.write(json.dumps(dict(messages=turns, rejected_response=rejected)) + "\n")
    return dict(model=f"{folder}/model", dataset=f"{folder}/data.jsonl", output_dir=f"{folder}/out")


def settings():
    return dict(
        rlhf_type="cpo",
        loss_type="simpo",
        cpo_alpha=0,
        simpo_gamma=0.5,
        beta=2.0,
        model_type="llama",
        template="dummy",
        tuner_type="full",
        torch_dtype="float32",
        attn_impl="sdpa",
        max_length=512,
        truncation_strategy="right",
        num_train_epochs=1,
        per_device_train_batch_size=MICRO,
        gradient_accumulation_steps=c.BATCH // MICRO,
        learning_rate=1e-5,
        lr_scheduler_type="constant",
        max_grad_norm=0,
        optim="adamw_torch_fused",
        gradient_checkpointing="false",
        dataset_shuffle="false",
        train_dataloader_shuffle="false",
        dataloader_num_workers=0,
        split_dataset_ratio=0,
        save_strategy="no",
        logging_steps=10**6,
        report_to="none",
        use_cpu="true",
        bf16="false",
        fp16="false",
    )


# The benchmark removes this folder: a peer ends without a chance to tidy up.
folder = tempfile.mkdtemp(prefix="swift-", dir=os.path.dirname(c.SPEC["data"]))
named = {**settings(), **written(folder)}
Pipeline([text for key, value in named.items() for text in (f"--{key}", str(value))]).main()
