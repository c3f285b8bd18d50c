"""What a skilled user of PyTorch would write by hand, on the weights of a transformers model: one packed stream with each
prompt once, attention per answer, the head on answers only, log-probabilities in chunks whose backward is written out,
fused AdamW, gradients of embedding and head accumulated in place."""

import torch
import torch.nn.functional as F

import common as c

CHUNK = 512


class ChunkedLogProb(torch.autograd.Function):
    """log p(target) of rows of hidden @ weight.T; keeps probabilities, so that three products do, and adds the gradient of
    the weight where it belongs."""

    @staticmethod
    def forward(ctx, hidden, weight, targets):
        logp = hidden.new_empty(len(targets))
        chunks = []
        for at in range(0, len(targets), CHUNK):
            rows, wanted = slice(at, at + CHUNK), targets[at : at + CHUNK, None]
            scores = hidden[rows] @ weight.T
            scores -= scores.amax(-1, keepdim=True)
            picked = scores.gather(1, wanted)
            total = scores.exp_().sum(-1, keepdim=True)
            logp[rows] = (picked - total.log()).squeeze(1)
            chunks.append((scores, total))
        ctx.save_for_backward(hidden, weight, targets)
        ctx.chunks = chunks
        return logp

    @staticmethod
    def backward(ctx, grad):
        hidden, weight, targets = ctx.saved_tensors
        to_hidden = torch.empty_like(hidden)
        for k, at in enumerate(range(0, len(targets), CHUNK)):
            rows = slice(at, at + CHUNK)
            (scores, total), ctx.chunks[k] = ctx.chunks[k], None
            scores.mul_(-grad[rows, None] / total)
            scores.scatter_add_(1, targets[rows, None], grad[rows, None])
            to_hidden[rows] = scores @ weight
            weight.grad.addmm_(scores.T, hidden[rows])
        return to_hidden, None, None


class Embed(torch.autograd.Function):
    """Rows of the embedding; its gradient is added in place."""

    @staticmethod
    def forward(ctx, weight, ids):
        ctx.save_for_backward(weight, ids)
        return weight[ids]

    @staticmethod
    def backward(ctx, grad):
        weight, ids = ctx.saved_tensors
        weight.grad.index_add_(0, ids, grad)
        return None, None


def pack(rows):
    """Stream, positions, places of prompts and answers, and which rows predict what for whom."""
    ids, positions, lists, predictors, targets, owners = [], [], [], [], [], []
    candidates = 0
    for row in rows:
        prompt, answers = row["ids"][0], row["ids"][1:]
        start = len(ids)
        ids += prompt
        positions += range(len(prompt))
        spans = []
        for answer in answers:
            at = len(ids)
            ids += answer
            positions += range(len(prompt), len(prompt) + len(answer))
            spans.append((at, len(ids)))
            predictors += [start + len(prompt) - 1, *range(at, at + len(answer) - 1)]
            targets += answer
            owners += [candidates] * len(answer)
            candidates += 1
        lists.append((start, start + len(prompt), spans))
    tensors = [torch.tensor(x) for x in (ids, positions, predictors, targets, owners)]
    return tensors, lists, candidates


def attend(q, k, v, lists):
    """[heads, T, d] each: the prompt to itself, each answer to prompt and itself."""
    out = []
    for start, end, spans in lists:
        own = slice(start, end)
        out.append(F.scaled_dot_product_attention(q[None, :, own], k[None, :, own], v[None, :, own], is_causal=True)[0])
        for a, b in spans:
            keys = torch.cat((k[:, own], k[:, a:b]), 1)[None]
            values = torch.cat((v[:, own], v[:, a:b]), 1)[None]
            mask = torch.ones(b - a, end - start + b - a, dtype=torch.bool).tril_(end - start)
            out.append(F.scaled_dot_product_attention(q[None, :, a:b], keys, values, attn_mask=mask)[0])
    return torch.cat(out, 1)


class Packed:
    def __init__(self, model):
        self.model, self.config = model, model.config
        self.head_dim = self.config.hidden_size // self.config.num_attention_heads
        theta = self.config.rope_parameters["rope_theta"]
        frequencies = theta ** (-torch.arange(0, self.head_dim, 2).float() / self.head_dim)
        angles = torch.outer(torch.arange(self.config.max_position_embeddings).float(), frequencies)
        self.cos, self.sin = angles.cos(), angles.sin()

    def turn(self, x, positions):
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        a, b = x.chunk(2, -1)
        return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)

    def norm(self, x, layer):
        return F.rms_norm(x, (x.shape[-1],), layer.weight, self.config.rms_norm_eps)

    def hidden(self, ids, positions, lists):
        body, d = self.model.model, self.head_dim
        groups = self.config.num_attention_heads // self.config.num_key_value_heads
        x = Embed.apply(body.embed_tokens.weight, ids)
        for layer in body.layers:
            attention, mlp = layer.self_attn, layer.mlp
            y = self.norm(x, layer.input_layernorm)
            q, k, v = (p(y).view(len(ids), -1, d) for p in (attention.q_proj, attention.k_proj, attention.v_proj))
            q, k = self.turn(q, positions), self.turn(k, positions)
            q, k, v = (t.transpose(0, 1) for t in (q, k, v))
            if groups > 1:
                k, v = k.repeat_interleave(groups, 0), v.repeat_interleave(groups, 0)
            x = x + attention.o_proj(attend(q, k, v, lists).transpose(0, 1).reshape(len(ids), -1))
            y = self.norm(x, layer.post_attention_layernorm)
            x = x + mlp.down_proj(F.silu(mlp.gate_proj(y)) * mlp.up_proj(y))
        return self.norm(x, body.norm)

    def mean_log_probs(self, rows):
        (ids, positions, predictors, targets, owners), lists, candidates = pack(rows)
        chosen = self.hidden(ids, positions, lists)[predictors]
        logp = ChunkedLogProb.apply(chosen, self.model.lm_head.weight, targets)
        counts = torch.bincount(owners, minlength=candidates)
        return torch.zeros(candidates).index_add(0, owners, logp) / counts


def main():
    model = c.language_model().train()
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    packed, micro, per = Packed(model), c.SPEC["microSize"], c.SPEC["per"]

    def step(rows):
        for at in range(0, len(rows), micro):
            logp = packed.mean_log_probs(rows[at : at + micro]).view(-1, len(rows[0]["ids"]) - 1)
            i, j = torch.triu_indices(logp.shape[1], logp.shape[1], 1)
            loss = torch.relu(1.0 - (logp[:, i] - logp[:, j])).mean(1) - logp[:, 0]
            (loss.sum() / len(rows)).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)

    step(c.ROWS[: c.BATCH])

    def run(index):
        rows = c.rows_of_round(index, per)
        for at in range(0, per, c.BATCH):
            step(rows[at : at + c.BATCH])
        return dict(items=per, tokens=c.tokens_of(rows))

    c.serve(run)


main()
