import { type ActiveStatus, isLast } from './contract';
import type { Job } from './jobs';
import { parameterOf } from './parameters';
import type { Run } from './run';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** How long AWS may take to show what was just created (EC2: "up to a few minutes"). */
export const VISIBLE_WITHIN_MS = 5 * MINUTE;

/** How long a status may last: enough for AWS's slow days, little enough that money is not lost. */
const ALLOWED: { readonly [status in Exclude<ActiveStatus, 'running' | 'retained'>]: number } = {
  queued: 24 * HOUR,
  provisioning: HOUR,
  ready: 10 * MINUTE,
  exporting: 6 * HOUR,
  releasing: HOUR,
};
const IMPORTING_MS = 3 * HOUR;
const NO_ATTEMPT_MS = 24 * HOUR;
/** Beyond a job's own limit, which Batch enforces at its best effort. */
const LIMIT_GRACE_MS = 15 * MINUTE;
/** SubmitJob answers in a second; the rest is for a Batch that throttles or is down. */
const SUBMISSION_MS = 30 * MINUTE;
/** Batch gives a terminated container 30 seconds; the rest is for a Batch that is slow. */
const STOP_MS = 30 * MINUTE;

/** When the run has been in its status for too long, in epoch milliseconds; never for a last one. */
export function deadlineOf(run: Run): number {
  const { status } = run;
  if (isLast(status)) return Number.POSITIVE_INFINITY;
  const since = Date.parse(run.since);
  if (status === 'retained') return Date.parse(run.retainUntil ?? run.since);
  if (status === 'running') return runningDeadline(run, since);
  // Every refusal enters the status anew: what counts is how long there has been no room.
  if (status === 'queued') return Date.parse(run.acceptedAt) + ALLOWED.queued;
  if (status === 'provisioning' && run.parameters.inputRepositoryPath) return since + IMPORTING_MS;
  return since + ALLOWED[status];
}

function runningDeadline(run: Run, since: number): number {
  if (run.stop) return Date.parse(run.stop.at) + STOP_MS;
  const jobs = Object.values(run.jobs);
  const begun = jobs.filter(isBegun);
  const lastChange = Math.max(since, ...jobs.map((job) => Date.parse(job.since)));
  const requested = jobs.filter(({ status }) => status === 'REQUESTED');
  const limits = [
    ...begun.map(limitOf),
    ...requested.map((job) => Date.parse(job.since) + SUBMISSION_MS),
  ];
  if (begun.length === 0) limits.push(lastChange + NO_ATTEMPT_MS);
  return Math.min(since + parameterOf(run, 'maxRunHours') * HOUR, ...limits);
}

/** Batch shows the parent of an array as PENDING while its children run. */
function isBegun({ status, arraySize }: Job): boolean {
  if (arraySize !== undefined && status === 'PENDING') return true;
  return status === 'STARTING' || status === 'RUNNING';
}

function limitOf({ since, timeoutSeconds }: Job): number {
  if (timeoutSeconds === undefined) return Number.POSITIVE_INFINITY;
  return Date.parse(since) + timeoutSeconds * SECOND + LIMIT_GRACE_MS;
}

/**
 * When somebody must look at the run next, in epoch milliseconds: the native event was lost if
 * nothing has happened by then. Tight where the change is expected, at the seeds' pace far from it.
 */
export function nextLook(run: Run, now: number): number {
  return lookBy(run, Math.max(now + SECOND, expectedLook(run, now)), now);
}

/** A look at that time, or at the deadline if that comes first; soon, where it has passed already. */
export function lookBy(run: Run, at: number, now: number): number {
  const deadline = deadlineOf(run);
  if (deadline > now) return Math.min(deadline, at);
  return Number.isFinite(at) ? at : now + MINUTE;
}

function expectedLook(run: Run, now: number): number {
  const since = Date.parse(run.since);
  switch (run.status) {
    case 'queued':
      return Date.parse(run.storage.retryAt ?? run.since);
    case 'provisioning':
      // A gp3 volume takes 1.5 s at the median and 4 s at the 99th percentile (EBS CSI driver).
      if (now - since < 20 * SECOND) return now + 3 * SECOND;
      return now + parameterOf(run, 'waitForEbsCreationSeconds') * SECOND;
    case 'ready':
      return now + 30 * SECOND;
    case 'releasing':
      // A detach takes 1 to 4 s (EBS CSI driver) and EC2 sends no event for it.
      if (now - since < 20 * SECOND) return now + 2 * SECOND;
      return now + parameterOf(run, 'waitAfterDetachSeconds') * SECOND;
    case 'running':
      return submissionLook(run, now);
    default:
      return Number.POSITIVE_INFINITY;
  }
}

/** Running jobs are compared in bulk; a submission under way, or jobs that must stop, are looked at. */
function submissionLook(run: Run, now: number): number {
  const isUnderWay = Object.values(run.jobs).some(({ status }) => status === 'REQUESTED');
  const look = run.stop || isUnderWay ? now + 30 * SECOND : Number.POSITIVE_INFINITY;
  return Math.min(look, doubtLook(run, now) ?? Number.POSITIVE_INFINITY);
}

/** ListJobs may show a job late: looked for at these times after the doubt, and believed missing then. */
const DOUBT_LOOKS_MS = [15, 30, 60, 120].map((seconds) => seconds * SECOND);

/** When a doubted job is looked for next; undefined where none is doubted. */
function doubtLook(run: Run, now: number): number | undefined {
  const ahead = Object.values(run.jobs)
    .flatMap(doubtTimes)
    .filter((time) => time > now);
  return ahead.length > 0 ? Math.min(...ahead) : undefined;
}

function doubtTimes({ doubtedAt }: Job): number[] {
  if (!doubtedAt) return [];
  return DOUBT_LOOKS_MS.map((wait) => Date.parse(doubtedAt) + wait);
}

/** Whether a lost SubmitJob may still show up: until then the job is only looked for. */
export function isDoubtful(job: Job, now: number): boolean {
  return doubtTimes(job).some((time) => time > now);
}

/** Whether a submission that nobody makes any more, since the run was told to stop, would have been seen. */
export function isSettled(
  { since, doubtedAt = since }: Job,
  stoppedAt: string,
  now: number,
): boolean {
  const last = Math.max(...[since, doubtedAt, stoppedAt].map((time) => Date.parse(time)));
  return now >= last + Math.max(...DOUBT_LOOKS_MS);
}
