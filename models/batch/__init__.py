"""Batch learning with torch (the extra ``torch``): a mixture of experts, its rivals, and the student distilled from it.

``train(config, dataset, callbacks)`` is the one entry to training, ``distil(config, dataset, logits)`` to distilling.
Nothing here is imported by a worker: a student is served by ``models.student``, without torch.
"""
