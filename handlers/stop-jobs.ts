import {
  anyOf,
  isOver,
  JobSubmitted,
  JobsStopped,
  ReleaseStarted,
  type Run,
  StopRequested,
} from '../events';
import { conclude, ignore, proceed, reaction } from './lib';

/** Terminates what Batch still has of a run that must end. StopRequested, ReleaseStarted → JobsStopped. */
export const stopJobs = reaction({
  name: 'stop-jobs',
  on: anyOf<unknown>(StopRequested, ReleaseStarted, JobSubmitted),
  watches: ['running', 'releasing'],
  uses: ['jobs'],
  emits: [JobsStopped],
  repeats: true,

  decide(run) {
    const mustStop = run.status === 'releasing' || (run.status === 'running' && run.stop);
    if (!mustStop) return ignore(`run is ${run.status}, and nobody asked it to stop`);
    // A job that waits may have been submitted by a delivery that died before it could say so.
    if (Object.values(run.jobs).every(isOver)) return ignore('all jobs are over');
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
