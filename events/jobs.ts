import * as z from 'zod';

/** Batch's own words for where a job is. */
export const BATCH_STATUSES = [
  'SUBMITTED',
  'PENDING',
  'RUNNABLE',
  'STARTING',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
] as const;
export const BatchStatus = z.enum(BATCH_STATUSES);
export type BatchStatus = z.infer<typeof BatchStatus>;

/**
 * A job's name within its run. 14 characters: with the run's 40 and three digits of a try,
 * `<run>.job-<name>.<try>` stays within the 63 that FSx and EC2 allow a client token.
 */
export const JobName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,13}$/);

/** What is asked of a job, after all layers and defaults. */
export const JobSpec = z.object({
  name: JobName,
  image: z.string(),
  /** The image's own command where absent. */
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()),
  vcpus: z.int(),
  memoryMib: z.int(),
  attempts: z.int(),
  timeoutSeconds: z.int().optional(),
  arraySize: z.int().optional(),
  dependsOn: z.array(z.string()),
});
export type JobSpec = z.infer<typeof JobSpec>;

/** A job of a run: what was asked, and how far it is. */
export interface Job extends JobSpec {
  /** `WAITING`: not submitted yet. `REQUESTED`: a submission is under way, Batch may have it or not. */
  readonly status: 'WAITING' | 'REQUESTED' | BatchStatus;
  /** Raised by every event that records a refusal or a doubt, never otherwise. */
  readonly tries: number;
  /** Counts the Batch job ids of this job; 0 before the first is asked for. */
  readonly submission: number;
  /** The submissions before the run was resumed: they do not count against the budget any more. */
  readonly submissionsBefore: number;
  readonly jobId?: string;
  /** Counts the attempts of this submission that were begun. */
  readonly attempt: number;
  /** Whether any container of this job ever started: only then may there be something to keep. */
  readonly ran: boolean;
  /** ISO 8601: the last change. */
  readonly since: string;
  /** ISO 8601: SubmitJob's answer was lost then. */
  readonly doubtedAt?: string;
  readonly statusReason?: string;
  readonly exitCode?: number;
  readonly logStream?: string;
}

/** How a Batch job of ours is called: `<prefix>-<runId>_<job>_<submission>`. */
export const BATCH_JOB_PREFIX = 'ebbtide';

/** At most 8 + 40 + 14 + 3 digits + 3 separators = 68 of Batch's 128 characters. */
export function batchJobName(runId: string, job: string, submission: number): string {
  return `${BATCH_JOB_PREFIX}-${runId}_${job}_${submission}`;
}

/** The run that a Batch job belongs to by its name; undefined for a stranger's job. */
export function runOfBatchJob(jobName: string): string | undefined {
  const match = /^ebbtide-([a-z0-9-]{1,40})_[a-z0-9-]{1,14}_\d{1,3}$/.exec(jobName);
  return match?.[1];
}

/** No attempt of the job can start any more. */
export function isOver(job: Job): boolean {
  return job.status === 'SUCCEEDED' || job.status === 'FAILED';
}

/** Batch has the job, or may have it, and has not finished it. */
export function isActive(job: Job): boolean {
  return job.status !== 'WAITING' && !isOver(job);
}

/**
 * How far a submission is, as a number that only grows: a describe of yesterday, or an event that
 * comes late, never takes a job back.
 */
export function progressOf({
  status,
  attempt,
}: {
  status: Job['status'];
  attempt: number;
}): number {
  if (status === 'WAITING' || status === 'REQUESTED') return -1;
  if (status === 'SUCCEEDED' || status === 'FAILED') return Number.POSITIVE_INFINITY;
  const finished = status === 'STARTING' || status === 'RUNNING' ? attempt - 1 : attempt;
  return finished * BATCH_STATUSES.length + BATCH_STATUSES.indexOf(status);
}
