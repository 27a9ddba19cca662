"""Which launch is looked at: the live one until the user picks another."""

from __future__ import annotations

from tuner_tui.runs.experiment import ExperimentState, Launch
from tuner_tui.runs.snapshot import Snapshot


class Choice:
    """`following`: the launch under way is shown, whichever that is."""

    def __init__(self) -> None:
        self.following = True
        self._experiment: int | None = None
        self._launch: int | None = None

    def follow(self) -> None:
        self.following = True
        self._experiment = self._launch = None

    def pick(self, experiment: int, launch: int | None = None) -> None:
        """`launch` None: the newest of that experiment."""
        self.following = False
        self._experiment, self._launch = experiment, launch

    def of(self, snapshot: Snapshot) -> tuple[ExperimentState | None, Launch | None]:
        """The experiment and launch that are looked at. Without a launch under way that is the newest one, or once the
        run is over the leader's."""
        if not snapshot.experiments:
            return None, None
        by_id = {each.id: each for each in snapshot.experiments}
        if not self.following and self._experiment in by_id and self._experiment is not None:
            experiment = by_id[self._experiment]
            chosen = next((each for each in experiment.launches if each.number == self._launch), None)
            return experiment, chosen or (experiment.launches[-1] if experiment.launches else None)
        if snapshot.launch is not None:
            return by_id[snapshot.launch.experiment], snapshot.launch
        if snapshot.finished is not None and (leader := snapshot.verdict.leader) in by_id and leader is not None:
            return by_id[leader], by_id[leader].launches[-1]
        newest = max(
            (launch for each in snapshot.experiments for launch in each.launches),
            key=lambda launch: launch.number,
            default=None,
        )
        return (by_id[newest.experiment] if newest is not None else snapshot.experiments[0]), newest

    def step(self, snapshot: Snapshot, by: int) -> bool:
        """The launch before or after, of the same experiment; False where there is none."""
        experiment, launch = self.of(snapshot)
        if experiment is None or launch is None:
            return False
        numbers = [each.number for each in experiment.launches]
        place = numbers.index(launch.number) + by
        if not 0 <= place < len(numbers):
            return False
        self.pick(experiment.id, numbers[place])
        return True
