import {
  anyOf,
  isActive,
  JobSubmitted,
  JobsStopped,
  ReleaseStarted,
  type Run,
  StopRequested,
  StorageRetained,
} from '../events';
import { conclude, ignore, proceed, reaction } from './lib';

/** Terminates what Batch still has of a run that must end. StopRequested, ReleaseStarted, … → JobsStopped. */
export const stopJobs = reaction({
  name: 'stop-jobs',
  on: anyOf<unknown>(StopRequested, ReleaseStarted, StorageRetained, JobSubmitted),
  watches: ['running', 'releasing', 'retained'],
  uses: ['jobs'],
  emits: [JobsStopped],
  repeats: true,

  decide(run) {
    const isEnding = run.status === 'releasing' || run.status === 'retained';
    const mustStop = isEnding || (run.status === 'running' && run.stop !== undefined);
    if (!mustStop) return ignore(`run is ${run.status}, and nobody asked it to stop`);
    if (!Object.values(run.jobs).some(isActive)) return ignore('nothing of it is at Batch');
    return proceed(`${run.id}.stop`, { runId: run.id, zone: run.storage.zone, reason: why(run) });
  },

  act: (wanted, _key, { jobs }) => jobs.stop(wanted),

  record: (jobIds) =>
    jobIds.length > 0
      ? conclude(JobsStopped.of({ jobIds: [...jobIds] }))
      : ignore('Batch has nothing left to stop'),
});

function why({ stop, verdict }: Run): string {
  const end = stop?.verdict ?? verdict;
  return end && end.kind !== 'succeeded' ? `Ebbtide: ${end.reason}` : 'Ebbtide: the run is over';
}
