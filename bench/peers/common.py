"""What the peers share: the specification, the data, models of the benchmark's shapes, and the rounds.

A peer gets one argument, a JSON object. It prints `READY {}`, then for each line `go ROUND` on standard input it runs that
round and prints `RES {json}`.
"""

import json
import os
import resource
import sys
import time
from importlib.util import find_spec

SPEC = json.loads(sys.argv[1])
BATCH = SPEC.get("batch", 8)

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["OMP_NUM_THREADS"] = str(SPEC["threads"])

import torch  # noqa: E402  after the number of threads is set

torch.set_num_threads(SPEC["threads"])
DEVICE = torch.device(SPEC.get("device", "cpu"))
ON_GPU = DEVICE.type == "cuda"
DTYPE = getattr(torch, SPEC.get("dtype", "float32"))

with open(SPEC["data"], encoding="utf-8") as file:
    DATA = json.load(file)
ROWS = DATA[SPEC.get("set", "pairs")]


def rows_of_round(index, per):
    """The rows that every contender takes in a round; those of the first step only warm up."""
    own = ROWS[BATCH:]
    return [own[(index * per + i) % len(own)] for i in range(per)]


def tokens_of(rows):
    """Tokens of prompt and answer, the prompt counted for every answer."""
    return sum(len(row["ids"][0]) + len(answer) for row in rows for answer in row["ids"][1:])


def attention():
    """The fastest that is installed: the flash attention package is for GPUs."""
    return "flash_attention_2" if ON_GPU and find_spec("flash_attn") else "sdpa"


def config():
    from transformers import LlamaConfig

    shape = {k: v for k, v in SPEC["config"].items() if k not in ("architectures", "model_type", "rope_theta")}
    rope = {"rope_theta": float(SPEC["config"]["rope_theta"]), "rope_type": "default"}
    made = LlamaConfig(**shape, rope_parameters=rope, pad_token_id=DATA["eos"], attention_dropout=0.0)
    made._attn_implementation = attention()
    return made


def language_model():
    from transformers import LlamaForCausalLM

    torch.manual_seed(0)
    with DEVICE:
        return LlamaForCausalLM(config()).to(DTYPE)


def say(tag, value):
    print(f"{tag} {json.dumps(value)}", flush=True)


class Watch:
    """Wall time, processor time and peak memory of one round: what tensors held on a GPU, else all of the process."""

    def start(self):
        if ON_GPU:
            torch.cuda.reset_peak_memory_stats()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.wall, self.user, self.system = time.perf_counter(), usage.ru_utime, usage.ru_stime

    def stop(self, **measured):
        if ON_GPU:
            torch.cuda.synchronize()
        wall = time.perf_counter() - self.wall
        usage = resource.getrusage(resource.RUSAGE_SELF)
        system = usage.ru_stime - self.system
        cpu = usage.ru_utime - self.user + system
        peak = torch.cuda.max_memory_allocated() / 2**20 if ON_GPU else usage.ru_maxrss / 1024
        say("RES", dict(wall=wall, cpu=cpu, system=system, peakMiB=peak, **measured))


def ready():
    if ON_GPU:
        torch.cuda.synchronize()
    say("READY", {"torch": torch.__version__, "attention": attention()})


def next_round():
    """The number of the round that was asked for; ends the process when no more is asked."""
    line = sys.stdin.readline()
    if not line.startswith("go "):
        sys.stdout.flush()
        os._exit(0)
    return int(line.split()[1])


def serve(run):
    """Runs rounds; `run(index)` gives what was measured besides time."""
    ready()
    watch = Watch()
    while True:
        index = next_round()
        watch.start()
        watch.stop(**run(index))
