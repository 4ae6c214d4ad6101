import { batchJobName, isDoubtful, JobDoubted, JobSubmitted, nextJobs, nextLook } from '../events';
import { again, conclude, ignore, look, observer } from './lib';

/** Looks by name for a job whose submission was answered by silence. JobDoubted, probe → JobSubmitted. */
export const findJob = observer({
  name: 'find-job',
  on: JobDoubted,
  watches: ['ready', 'running'],
  uses: ['jobs'],
  emits: [JobSubmitted],

  decide(run, _event, now) {
    const { id, status, storage } = run;
    if (status !== 'ready' && status !== 'running') return ignore(`run is ${status}`);
    const job = nextJobs(run).find((each) => isDoubtful(each, now));
    if (!job) return ignore('no job is in doubt');
    const submission = job.submission + 1;
    const jobName = batchJobName(id, job.name, submission);
    return look({ job: job.name, submission, jobName, zone: storage.zone });
  },

  look: async (doubted, { jobs }) => ({ ...doubted, jobId: await jobs.find(doubted) }),

  judge({ job, submission, jobName, jobId }, run, now) {
    if (!jobId) return again(nextLook(run, now));
    return conclude(JobSubmitted.of({ job, submission, jobId, jobName }));
  },
});
