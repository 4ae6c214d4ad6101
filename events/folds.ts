import { FORGOTTEN, type Job } from './jobs';
import type { RunParameters } from './parameters';
import type { Export, Run } from './run';
import type { DataOf } from './run-events';

/** A run as it begins: nothing asked of AWS, no job submitted. */
export function foldAccepted(run: Run, data: DataOf<'RunAccepted'>, time: string): Partial<Run> {
  const fresh = {
    status: 'WAITING',
    tries: 1,
    submission: 0,
    submissionsBefore: 0,
    attempt: 0,
    ran: false,
    since: time,
  } as const;
  const kind = run.mode === 'onlyEBS' ? 'volume' : 'fileSystem';
  return {
    // The schema of RunAccepted has let the same values through that RunParameters describes.
    parameters: data.parameters as RunParameters,
    results: data.results,
    fingerprint: data.fingerprint,
    cause: data.cause,
    storage: { ...run.storage, kind },
    jobs: Object.fromEntries(data.jobs.map((spec) => [spec.name, { ...spec, ...fresh }])),
  };
}

/** What Batch says of a job; what it does not say any more is forgotten. */
export function foldJob(
  run: Run,
  { job, submission: _, ran, ...news }: DataOf<'BatchJobStateChange'>,
  since: string,
): Partial<Run> {
  const before = run.jobs[job];
  const none = {
    ...{ statusReason: undefined, exitCode: undefined, logStream: undefined },
    ...{ counts: undefined, failures: undefined },
  };
  // Whoever shows it, knows it; what Batch has forgotten may be alive.
  const missedAt = news.statusReason === FORGOTTEN ? before?.missedAt : undefined;
  return withJob(run, job, { ...none, ...news, missedAt, ran: ran || before?.ran === true, since });
}

/** Nothing of the run lives at Batch. A submission that nobody saw may have run all the same. */
export function foldJobsEnded(run: Run, _data: unknown, jobsEndedAt: string): Partial<Run> {
  const jobs = Object.entries(run.jobs).map(([name, job]) => {
    if (job.status !== 'REQUESTED') return [name, job];
    const statusReason = 'nobody knows whether Batch had this submission';
    return [name, { ...job, status: 'FAILED', statusReason, ran: true, since: jobsEndedAt }];
  });
  return { jobsEndedAt, jobs: Object.fromEntries(jobs) };
}

/** The run with one job changed. */
export function withJob(run: Run, name: string, changes: Partial<Job>): Partial<Run> {
  const job = Object.hasOwn(run.jobs, name) ? run.jobs[name] : undefined;
  return job ? { jobs: { ...run.jobs, [name]: { ...job, ...changes } } } : {};
}

/** A run whose storage was seen to be usable. */
export function foldAvailable(run: Run, _data: unknown, availableAt: string): Partial<Run> {
  return { storage: { ...run.storage, availableAt, misconfigured: undefined } };
}

/** The run with its export changed. */
export function withExport(run: Run, changes: Partial<Export>): Partial<Run> {
  return { export: { requestedAt: run.since, tries: 1, ...run.export, ...changes } };
}

/** More than anybody asks of one run in the days that a request may be on its way. */
const ANSWERED_MAX = 20;

/** Whether a run has answered this request before. */
export function hasAnswered({ answered = [] }: Run, requestId: string): boolean {
  return answered.includes(requestId);
}

/** The requests that a run has answered, with one more: a delivery that comes again meets its own id. */
export function answeredBy(run: Run, requestId: string | undefined): readonly string[] | undefined {
  if (requestId === undefined) return run.answered;
  return [...(run.answered ?? []), requestId].slice(-ANSWERED_MAX);
}

/** A run whose failed jobs start anew, with a fresh budget of submissions. */
export function foldResumed(run: Run, names: readonly string[], since: string): Partial<Run> {
  const jobs = Object.entries(run.jobs).map(([name, job]) => {
    if (!names.includes(name)) return [name, job];
    return [name, { ...job, status: 'WAITING', since, submissionsBefore: job.submission }];
  });
  return { jobs: Object.fromEntries(jobs) };
}

/** One try more: the next act has another key. */
export function nextTry(run: Run, job: string): Partial<Job> {
  return { tries: (run.jobs[job]?.tries ?? 0) + 1 };
}

/** The run with nothing left to give back. */
export function storageOver(run: Run, over: 'released' | 'kept'): Partial<Run> {
  return { storage: { ...run.storage, over } };
}
