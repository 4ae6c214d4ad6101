import {
  anyOf,
  ExportRequested,
  isActive,
  isSettled,
  JobSubmitted,
  JobsEnded,
  JobsStopped,
  mayBeAlive,
  nextLook,
  ReleaseStarted,
  type Run,
  StopRequested,
  StorageRetained,
} from '../events';
import { again, conclude, ignore, proceed, reaction } from './lib';

/**
 * Terminates what Batch still has of a run that must end, until it has nothing: before that nothing is
 * exported and no storage goes. StopRequested, ReleaseStarted, … → JobsStopped, JobsEnded.
 */
export const stopJobs = reaction({
  name: 'stop-jobs',
  on: anyOf<unknown>(StopRequested, ExportRequested, ReleaseStarted, StorageRetained, JobSubmitted),
  watches: ['running', 'exporting', 'releasing', 'retained'],
  uses: ['jobs'],
  emits: [JobsStopped, JobsEnded],
  repeats: true,

  decide(run) {
    const { id, status, storage } = run;
    const mustStop = isEnding(run) || (status === 'running' && run.stop !== undefined);
    if (!mustStop) return ignore(`run is ${status}, and nobody asked it to stop`);
    const isQuiet = isEnding(run) ? !mayBeAlive(run) : !Object.values(run.jobs).some(isActive);
    if (isQuiet) return ignore('nothing of it is at Batch');
    return proceed(`${id}.stop`, { runId: id, zone: storage.zone, reason: why(run) });
  },

  act: (wanted, _key, { jobs }) => jobs.stop(wanted),

  record(jobIds, run, now) {
    const known = run.stopping ?? [];
    if (jobIds.some((id) => !known.includes(id))) {
      return conclude(JobsStopped.of({ jobIds: [...jobIds] }));
    }
    if (jobIds.length > 0) return again(nextLook(run, now));
    if (!isEnding(run)) return ignore('Batch has nothing left to stop');
    // A submission that was just made may not be shown yet.
    const requested = Object.values(run.jobs).filter(({ status }) => status === 'REQUESTED');
    const isShown = requested.every((job) => isSettled(job, run.since, now));
    const isSure = isShown && (run.stopping !== undefined || !isStrange(run) || isLate(run, now));
    return isSure ? conclude(JobsEnded.of({})) : again(nextLook(run, now));
  },
});

/** One empty answer says little of a job that is believed to be alive: it is asked for some minutes. */
const SURE_MS = 2 * 60_000;

function isStrange({ jobs }: Run): boolean {
  return Object.values(jobs).some((job) => isActive(job) || job.missedAt !== undefined);
}

function isLate({ since }: Run, now: number): boolean {
  return now >= Date.parse(since) + SURE_MS;
}

function isEnding({ status }: Run): boolean {
  return status === 'exporting' || status === 'releasing' || status === 'retained';
}

function why({ stop, verdict }: Run): string {
  const end = stop?.verdict ?? verdict;
  return end && end.kind !== 'succeeded' ? `Ebbtide: ${end.reason}` : 'Ebbtide: the run is over';
}
