import {
  afterJobs,
  anyOf,
  BatchJobMovedEvent,
  BatchJobStateChange,
  deadlineOf,
  ExportRequested,
  JobMissed,
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
  watches: ['running', 'retained'],
  uses: ['jobs'],
  emits: [BatchJobStateChange, JobMissed, ReleaseStarted, StorageRetained, ExportRequested],

  decide(run, _event, now) {
    const { status } = run;
    if (status !== 'running' && status !== 'retained') return ignore(`run is ${status}`);
    const jobIds = Object.values(run.jobs).flatMap((job) => idAtBatch(job));
    return jobIds.length > 0 ? look(jobIds) : conclude(...afterJobs(run, now));
  },

  look: (jobIds, { jobs }) => jobs.describe(jobIds),

  judge(seen, run, now) {
    const { status } = run;
    if (status !== 'running' && status !== 'retained') return ignore(`run is ${status}`);
    const news = Object.values(run.jobs).flatMap((job) => newsOf(job, seen, now));
    const at = nextLook(run, now);
    if (news.length === 0) return at < deadlineOf(run) ? again(at) : ignore('nothing new');
    return conclude(...news, ...afterJobs(foresee(run, news, now), now));
  },
});
