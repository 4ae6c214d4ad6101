import {
  afterJobs,
  ExportRequested,
  isDoubtful,
  JobDoubted,
  JobRefused,
  JobRequested,
  JobSubmitted,
  ReleaseStarted,
  StorageRetained,
} from '../events';
import { conclude, foresee, ignore, proceed, reaction } from './lib';
import { wantedOf } from './lib/wanted-job';

/** Submits a requested job. JobRequested, probe → JobSubmitted | JobRefused | JobDoubted. */
export const submitJob = reaction({
  name: 'submit-job',
  on: JobRequested,
  watches: ['running'],
  uses: ['jobs'],
  emits: [JobSubmitted, JobRefused, JobDoubted, ReleaseStarted, StorageRetained, ExportRequested],

  decide(run, _event, now) {
    const { id, status } = run;
    if (status !== 'running') return ignore(`run is ${status}`);
    if (run.stop) return ignore('the run is stopping');
    const requested = Object.values(run.jobs).filter((job) => job.status === 'REQUESTED');
    const job = requested.find((each) => !isDoubtful(each, now));
    if (!job) return ignore('no submission to make');
    const { name, submission, tries } = job;
    // Both counters only grow, one at a time, so their sum names this try and no other.
    const key = `${id}.job-${name}.${submission + tries - 1}`;
    return proceed(key, { tries, wanted: wantedOf(run, job) });
  },

  async act({ tries, wanted }, _key, { jobs }) {
    const { submission, spec } = wanted;
    const answer = await jobs.submit(wanted);
    return { ...answer, job: spec.name, tries, submission };
  },

  record(submitted, run, now) {
    const { ok, job, tries, submission } = submitted;
    const known = run.jobs[job];
    if (known?.status !== 'REQUESTED' || known.submission !== submission) {
      return ignore('the submission is known');
    }
    if (ok === true) return conclude(JobSubmitted.of({ job, submission, jobId: submitted.jobId }));
    if (known.tries !== tries) return ignore('another delivery has recorded this try');
    const { reason } = submitted;
    if (ok === 'unknown') return conclude(JobDoubted.of({ job, submission, reason }));
    const refused = JobRefused.of({ job, submission, reason });
    return conclude(refused, ...afterJobs(foresee(run, [refused], now), now));
  },
});
