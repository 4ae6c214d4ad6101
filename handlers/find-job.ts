import {
  afterJobs,
  anyOf,
  batchJobName,
  ExportRequested,
  isDoubtful,
  isSettled,
  JobDoubted,
  JobRefused,
  JobSubmitted,
  nextLook,
  ReleaseStarted,
  StopRequested,
  StorageRetained,
} from '../events';
import { again, conclude, foresee, ignore, look, observer } from './lib';

/**
 * Looks by name for a job of which nobody knows whether Batch has it: its answer was lost, or the run
 * stopped meanwhile. JobDoubted, StopRequested, probe → JobSubmitted | JobRefused.
 */
export const findJob = observer({
  name: 'find-job',
  on: anyOf<unknown>(JobDoubted, StopRequested),
  watches: ['running'],
  uses: ['jobs'],
  emits: [JobSubmitted, JobRefused, ReleaseStarted, StorageRetained, ExportRequested],

  decide(run, _event, now) {
    const { id, status, storage } = run;
    if (status !== 'running') return ignore(`run is ${status}`);
    const requested = Object.values(run.jobs).filter((job) => job.status === 'REQUESTED');
    const job = requested.find((each) => run.stop !== undefined || isDoubtful(each, now));
    if (!job) return ignore('no job is in doubt');
    const { name, submission } = job;
    const jobName = batchJobName(id, name, submission);
    return look({ job: name, submission, jobName, zone: storage.zone });
  },

  look: async (doubted, { jobs }) => ({ ...doubted, jobId: await jobs.find(doubted) }),

  judge({ job, submission, jobId }, run, now) {
    const known = run.jobs[job];
    if (jobId) return conclude(JobSubmitted.of({ job, submission, jobId }));
    if (!run.stop || !known || !isSettled(known, run.stop.at, now))
      return again(nextLook(run, now));
    const reason = 'the run was stopped before Batch had the job';
    const refused = JobRefused.of({ job, submission, reason, unseen: true });
    return conclude(refused, ...afterJobs(foresee(run, [refused], now), now));
  },
});
