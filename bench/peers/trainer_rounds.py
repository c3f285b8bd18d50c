"""Rounds inside a transformers Trainer, which has a loop of its own."""

from transformers import TrainerCallback

import common as c

PER = c.SPEC["per"]


def rows_in_order():
    """The warm-up batch, then the rounds in their order."""
    return c.ROWS[: c.BATCH] + [row for k in range(c.SPEC["rounds"]) for row in c.rows_of_round(k, PER)]


class Rounds(TrainerCallback):
    """Lets the trainer run on only when a round is asked for."""

    def __init__(self):
        self.watch = c.Watch()
        self.steps = -1

    def on_step_end(self, args, state, control, **kwargs):
        self.steps += 1
        if self.steps == 0:
            c.ready()
        elif self.steps % (PER // c.BATCH) == 0:
            self.watch.stop(items=PER, tokens=c.tokens_of(c.rows_of_round(self.round, PER)))
        else:
            return
        self.round = c.next_round()
        self.watch.start()
