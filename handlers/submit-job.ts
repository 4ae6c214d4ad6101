import {
  afterJobs,
  anyOf,
  BatchJobStateChange,
  batchJobName,
  ExportRequested,
  FileSystemAvailable,
  isDoubtful,
  JobDoubted,
  JobRefused,
  JobSubmitted,
  nextJobs,
  ReleaseStarted,
  type Run,
  RunResumed,
  StorageRetained,
  VolumeAvailable,
} from '../events';
import { conclude, foresee, ignore, proceed, reaction } from './lib';

/** Somebody who never answers refuses. */
const DOUBTS_MAX = 10;

/** Submits the next job whose turn it is. VolumeAvailable, BatchJobStateChange, … → JobSubmitted | JobRefused | JobDoubted. */
export const submitJob = reaction({
  name: 'submit-job',
  on: anyOf<unknown>(
    VolumeAvailable,
    FileSystemAvailable,
    JobSubmitted,
    BatchJobStateChange,
    RunResumed,
  ),
  watches: ['ready', 'running'],
  uses: ['jobs'],
  emits: [JobSubmitted, JobRefused, JobDoubted, ReleaseStarted, StorageRetained, ExportRequested],

  decide(run, _event, now) {
    const { id, status } = run;
    if (status !== 'ready' && status !== 'running') return ignore(`run is ${status}`);
    const spec = nextJobs(run).find((job) => !isDoubtful(job, now));
    if (!spec) return ignore('no job to submit');
    const submission = spec.submission + 1;
    // Both counters only grow, one at a time, so their sum names this try and no other.
    return proceed(`${id}.job-${spec.name}.${spec.submission + spec.tries}`, {
      submission,
      jobName: batchJobName(id, spec.name, submission),
      runId: id,
      zone: run.storage.zone,
      storage: storageName(run),
      results: run.results,
      spec,
    });
  },

  async act(wanted, _key, { jobs }) {
    const { submission, jobName, spec } = wanted;
    const answer = await jobs.submit(wanted);
    return { ...answer, job: spec.name, tries: spec.tries, submission, jobName };
  },

  record(submitted, run, now) {
    const { ok, job, tries, submission } = submitted;
    const known = run.jobs[job];
    if (known?.submission === submission) return ignore('the submission is known');
    if (ok === true) {
      const { jobId, jobName } = submitted;
      return conclude(JobSubmitted.of({ job, submission, jobId, jobName }));
    }
    if (known?.tries !== tries) return ignore('another delivery has recorded this try');
    const { reason } = submitted;
    if (ok === 'unknown' && tries < DOUBTS_MAX) {
      return conclude(JobDoubted.of({ job, submission, reason }));
    }
    const refused = JobRefused.of({ job, submission, reason });
    return conclude(refused, ...afterJobs(foresee(run, [refused], now), now));
  },
});

/** How a submission names the storage to its host. */
function storageName({ storage: { id = '', mountName } }: Run): string {
  return mountName ? `${id}@${mountName}` : id;
}
