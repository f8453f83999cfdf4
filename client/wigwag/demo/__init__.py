"""`wigwag demo`: two people talk end to end, through crashes, and the proof of it.

A server and two clients run as processes of the commands that everybody uses; this
package only starts, kills and watches them:

    async with open_stage(folder) as stage:
        outcome = await tell_story(stage, report)
    assert outcome.is_proven

`_processes` starts and kills, `_story` says what happens, `_proof` counts,
`wigwag.audit` looks for secrets, `_report` shows it.
"""

__all__: list[str] = []
