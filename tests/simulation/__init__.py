"""Deterministic simulation of the whole system: one seed, one history.

The real server and real clients (codec, SQL, folds, ratchets) run in one process on
a clock, a network, a disk and a source of randomness that a seed decides:

    python -m tests.simulation --seeds 100 --hours 1
    python -m tests.simulation --seed 4711 --trace trace.txt
    python -m tests.simulation --mutant answer_before_commit --seeds 20

`_world` makes the seed's streams, the clock and the processes, `_network` and `_disk`
the ports, `_actors` the people and the faults. What happened is in `_history`;
`_checkers` read nothing else. `_mutants` are bugs that the sweep must find.
"""
