import {
  anyOf,
  BatchJobStateChange,
  batchJobName,
  FileSystemAvailable,
  JobRequested,
  JobSubmitted,
  nextJobs,
  RunResumed,
  VolumeAvailable,
} from '../events';
import { conclude, ignore, reaction } from './lib';

/** Writes down that a job is about to be submitted: from then on the run waits for it. VolumeAvailable, … → JobRequested. */
export const requestJob = reaction({
  name: 'request-job',
  on: anyOf<unknown>(
    VolumeAvailable,
    FileSystemAvailable,
    JobSubmitted,
    BatchJobStateChange,
    RunResumed,
  ),
  watches: ['ready', 'running'],
  uses: [],
  emits: [JobRequested],

  decide(run) {
    const { id, status } = run;
    if (status !== 'ready' && status !== 'running') return ignore(`run is ${status}`);
    const [next] = nextJobs(run);
    if (!next) return ignore('no job to submit');
    const submission = next.submission + 1;
    const jobName = batchJobName(id, next.name, submission);
    return conclude(JobRequested.of({ job: next.name, submission, jobName }));
  },
});
