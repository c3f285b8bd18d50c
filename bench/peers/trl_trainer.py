"""TRL's CPO (SimPO loss) and DPO trainers: at most 512 tokens, no checkpointing."""

import inspect
import tempfile
import warnings

import common as c

warnings.filterwarnings("ignore")
from datasets import Dataset, disable_progress_bars  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402
from trainer_rounds import Rounds, rows_in_order  # noqa: E402

disable_progress_bars()
MICRO = c.SPEC["microSize"]


def dataset():
    names = ("prompt", "chosen", "rejected")
    return Dataset.from_list([dict(zip(names, row["texts"])) for row in rows_in_order()])


def settings():
    common = dict(
        output_dir=tempfile.mkdtemp(prefix="clha-bench-trl-"),
        per_device_train_batch_size=MICRO,
        gradient_accumulation_steps=c.BATCH // MICRO,
        num_train_epochs=1,
        max_length=512,
        learning_rate=1e-5,
        lr_scheduler_type="constant",
        max_grad_norm=0,
        logging_steps=10**6,
        save_strategy="no",
        report_to=[],
        bf16=c.SPEC.get("bf16", False),
        gradient_checkpointing=False,
        use_cpu=not c.ON_GPU,
        dataloader_pin_memory=c.ON_GPU,
        disable_tqdm=True,
        optim="adamw_torch_fused",
        seed=0,
    )
    if c.SPEC["method"] == "dpo":
        from trl import DPOConfig as Config, DPOTrainer as Trainer

        common["precompute_ref_log_probs"] = c.SPEC.get("precompute", False)
    else:
        from trl.experimental.cpo import CPOConfig as Config, CPOTrainer as Trainer

        common.update(loss_type="simpo", cpo_alpha=0.0, simpo_gamma=0.5, beta=2.0)
    if "train_sampling_strategy" in inspect.signature(Config.__init__).parameters:
        common["train_sampling_strategy"] = "sequential"
    return Trainer, Config(**common)


def main():
    tokenizer = AutoTokenizer.from_pretrained(DATA_TOKENIZER)
    tokenizer.pad_token = tokenizer.eos_token
    trainer, args = settings()
    extra = {"ref_model": c.language_model()} if c.SPEC["method"] == "dpo" else {}
    trainer(
        model=c.language_model(),
        args=args,
        train_dataset=dataset(),
        processing_class=tokenizer,
        callbacks=[Rounds()],
        **extra,
    ).train()


DATA_TOKENIZER = c.DATA["tokenizer"]
main()
