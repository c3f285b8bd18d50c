"""Reward scoring with transformers: rows of similar length padded together, the reward read at the last token."""

import torch

import common as c


def main():
    body = c.language_model().eval().model
    torch.manual_seed(1)
    head = (torch.randn(1, c.SPEC["config"]["hidden_size"]) * 0.02).to(c.DEVICE, c.DTYPE)
    size, per = c.SPEC["batchSize"], c.SPEC["per"]

    def score(rows):
        sequences = sorted((row["ids"][0] + answer for row in rows for answer in row["ids"][1:]), key=len)
        for at in range(0, len(sequences), size):
            batch = sequences[at : at + size]
            longest = max(map(len, batch))
            ids = torch.tensor([s + [c.DATA["eos"]] * (longest - len(s)) for s in batch], device=c.DEVICE)
            lengths = torch.tensor([len(s) for s in batch], device=c.DEVICE)
            mask = (torch.arange(longest, device=c.DEVICE) < lengths[:, None]).long()
            hidden = body(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
            (hidden[torch.arange(len(batch), device=c.DEVICE), lengths - 1] @ head.T).tolist()

    def run(index):
        rows = c.rows_of_round(index, per)
        score(rows)
        return dict(items=c.tokens_of(rows))

    with torch.no_grad():
        score(c.ROWS[: c.BATCH])
        c.serve(run)


main()
