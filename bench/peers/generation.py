"""transformers' generate(): greedy, a fixed number of new tokens, prompts padded on the left."""

import torch

import common as c


def main():
    model = c.language_model().eval()
    model.generation_config.eos_token_id = None
    size, new_tokens = c.SPEC["batchSize"], c.SPEC["newTokens"]

    def answer(rows, count):
        prompts = [row["ids"][0] for row in rows]
        longest = max(map(len, prompts))
        ids = torch.tensor([[0] * (longest - len(p)) + p for p in prompts])
        mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
        out = model.generate(
            ids.to(c.DEVICE),
            attention_mask=mask.to(c.DEVICE),
            max_new_tokens=count,
            min_new_tokens=count,
            do_sample=False,
            use_cache=True,
            pad_token_id=0,
            eos_token_id=None,
        )
        return len(rows) * (out.shape[1] - longest)

    answer(c.ROWS[:size], 4)
    c.serve(lambda index: dict(items=answer(c.rows_of_round(index, size), new_tokens)))


main()
