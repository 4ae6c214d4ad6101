import {
  afterJobs,
  anyOf,
  BatchJobMovedEvent,
  BatchJobStateChange,
  ExportRequested,
  JobSubmitted,
  nextLook,
  ReleaseStarted,
  StopRequested,
  StorageRetained,
} from '../events';
import { again, conclude, foresee, idAtBatch, ignore, look, newsOf, observer } from './lib';

/** Looks at the run's jobs. Batch event, probe → BatchJobStateChange, and what follows the last one's end. */
export const observeJob = observer({
  name: 'observe-job',
  on: anyOf<unknown>(BatchJobMovedEvent, JobSubmitted, StopRequested),
  watches: ['running'],
  uses: ['jobs'],
  emits: [BatchJobStateChange, ReleaseStarted, StorageRetained, ExportRequested],

  decide(run, _event, now) {
    if (run.status !== 'running') return ignore(`run is ${run.status}`);
    const jobIds = Object.values(run.jobs).flatMap((job) => idAtBatch(job));
    return jobIds.length > 0 ? look(jobIds) : conclude(...afterJobs(run, now));
  },

  look: (jobIds, { jobs }) => jobs.describe(jobIds),

  judge(seen, run, now) {
    if (run.status !== 'running') return ignore(`run is ${run.status}`);
    const news = Object.values(run.jobs).flatMap((job) => newsOf(job, seen, now));
    if (news.length === 0) return run.stop ? again(nextLook(run, now)) : ignore('nothing new');
    return conclude(...news, ...afterJobs(foresee(run, news, now), now));
  },
});
