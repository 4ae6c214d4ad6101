import { type ActiveStatus, isLast } from './contract';
import { exportStep, taskLook } from './exports';
import { mayBeAlive, nextJobs } from './job-rules';
import { hasBegun, isActive, type Job } from './jobs';
import { parameterOf } from './parameters';
import { linksOf } from './repository';
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
  if (status === 'provisioning' && isImporting(run)) return since + IMPORTING_MS;
  return since + ALLOWED[status];
}

/** What lies in S3 already is shown on the file system first, and that may be millions of files. */
function isImporting(run: Run): boolean {
  return run.storage.kind === 'fileSystem' && linksOf(run).some(({ imports }) => imports);
}

function runningDeadline(run: Run, since: number): number {
  if (run.stop) return Date.parse(run.stop.at) + STOP_MS;
  const jobs = Object.values(run.jobs);
  const begun = jobs.filter(isBegun);
  const lastChange = Math.max(since, ...jobs.map((job) => Date.parse(job.since)));
  const requested = jobs.filter(({ status }) => status === 'REQUESTED');
  const limits = begun.map(limitOf);
  // A submission that does not come through is no reason to end a job that is at work.
  if (begun.length === 0) {
    limits.push(lastChange + NO_ATTEMPT_MS);
    limits.push(...requested.map((job) => Date.parse(job.since) + SUBMISSION_MS));
  }
  return Math.min(since + parameterOf(run, 'maxRunHours') * HOUR, ...limits);
}

/** Batch shows the parent of an array as PENDING while its tasks run; without counts they may. */
function isBegun({ status, arraySize, counts }: Job): boolean {
  if (arraySize !== undefined && status === 'PENDING') return !counts || hasBegun(counts);
  return status === 'STARTING' || status === 'RUNNING';
}

/** The limit of an array is each task's own: Batch sets none for all of them together. */
function limitOf({ since, timeoutSeconds, arraySize }: Job): number {
  if (timeoutSeconds === undefined || arraySize !== undefined) return Number.POSITIVE_INFINITY;
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
      // A failed file system is on its way out, and nothing is asked for before it is gone.
      if (run.storage.id) return now + 30 * SECOND;
      return Date.parse(run.storage.retryAt ?? run.since);
    case 'provisioning':
      if (run.storage.kind === 'fileSystem') return fileSystemLook(run, now);
      // A gp3 volume takes 1.5 s at the median and 4 s at the 99th percentile (EBS CSI driver).
      if (now - since < 20 * SECOND) return now + 3 * SECOND;
      return now + parameterOf(run, 'waitForEbsCreationSeconds') * SECOND;
    case 'ready':
      return now + 30 * SECOND;
    case 'exporting':
      return exportLook(run, now);
    case 'retained':
      // Until the end of its jobs is known, it cannot be resumed.
      return mayBeAlive(run) || hasActive(run)
        ? now + patience(run, now)
        : Number.POSITIVE_INFINITY;
    case 'releasing':
      if (mayBeAlive(run)) return now + patience(run, now);
      if (run.storage.kind === 'fileSystem') return deletionLook(run, now);
      // A detach takes 1 to 4 s (EBS CSI driver) and EC2 sends no event for it.
      if (now - since < 20 * SECOND) return now + 2 * SECOND;
      return now + parameterOf(run, 'waitAfterDetachSeconds') * SECOND;
    case 'running':
      return submissionLook(run, now);
    default:
      return Number.POSITIVE_INFINITY;
  }
}

/** A file system takes 5 to 12 minutes (field reports): tight then, at the seeds' pace before and after. */
const FILE_SYSTEM_MS = { from: 3 * MINUTE, to: 15 * MINUTE };
const TIGHT_MS = 10 * SECOND;

function fileSystemLook(run: Run, now: number): number {
  const age = now - Date.parse(run.storage.requestedAt ?? run.since);
  const wait = parameterOf(run, 'waitForLustreCreationSeconds') * SECOND;
  const isNear = age >= FILE_SYSTEM_MS.from && age < FILE_SYSTEM_MS.to;
  return now + (isNear ? Math.min(TIGHT_MS, wait) : wait);
}

/** A deletion takes some minutes; billing may go on as long. */
function deletionLook(run: Run, now: number): number {
  const age = now - Date.parse(run.since);
  const wait = parameterOf(run, 'waitForLustreCreationSeconds') * SECOND;
  return now + (age < FILE_SYSTEM_MS.to ? Math.min(TIGHT_MS, wait) : wait);
}

/** CloudWatch shows the first point that counts about so long after the jobs' end. */
const FIRST_POINT_MS = 2 * MINUTE;

function exportLook(run: Run, now: number): number {
  const requestedAt = Date.parse(run.export?.requestedAt ?? run.since);
  const wait = parameterOf(run, 'waitForCheckMetricsSeconds') * SECOND;
  switch (exportStep(run, now)) {
    case 'drain':
      if (now < requestedAt + FIRST_POINT_MS) return requestedAt + FIRST_POINT_MS;
      return now + Math.min(wait, 2 * TIGHT_MS);
    case 'end-jobs':
      return now + patience(run, now);
    case 'switch-off':
      return now + TIGHT_MS;
    case 'pause':
      return Date.parse(run.export?.retryAt ?? run.since);
    case 'task':
      return now + 30 * SECOND;
    default:
      return taskLook(run, now);
  }
}

/** Running jobs are compared in bulk; a submission under way, or jobs that must stop, are looked at. */
function submissionLook(run: Run, now: number): number {
  const isUnderWay = Object.values(run.jobs).some(({ status }) => status === 'REQUESTED');
  // A job that could be submitted waits for an event that was lost.
  const isDue = run.stop !== undefined || isUnderWay || isMissed(run) || nextJobs(run).length > 0;
  const look = isDue ? now + 30 * SECOND : Number.POSITIVE_INFINITY;
  return Math.min(look, doubtLook(run, now) ?? Number.POSITIVE_INFINITY);
}

/** What does not end by itself is looked at less and less: after a twentieth of the time it has lasted. */
function patience(run: Run, now: number): number {
  const age = now - Date.parse(run.since);
  return Math.min(15 * MINUTE, Math.max(TIGHT_MS, Math.ceil(age / 20)));
}

function hasActive({ jobs }: Run): boolean {
  return Object.values(jobs).some(isActive);
}

function isMissed({ jobs }: Run): boolean {
  return Object.values(jobs).some(({ missedAt, status }) => missedAt && status !== 'FAILED');
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
