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

/** Docker's limits of a process, by name: `nofile`, `memlock`, … */
export const Ulimit = z.object({
  name: z.string(),
  softLimit: z.int(),
  hardLimit: z.int(),
});
export type Ulimit = z.infer<typeof Ulimit>;

/** How many tasks of an array are where, in Batch's words; what is not named is none. */
export const ArrayCounts = z.partialRecord(BatchStatus, z.int().nonnegative());
export type ArrayCounts = z.infer<typeof ArrayCounts>;

/** A task of an array that failed. */
export const ChildFailure = z.object({
  index: z.int().nonnegative(),
  exitCode: z.int().optional(),
  statusReason: z.string().optional(),
  logStream: z.string().optional(),
});
export type ChildFailure = z.infer<typeof ChildFailure>;

/** More failures of one array say nothing new, and the run stays small. */
export const FAILURES_MAX = 20;

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
  /** Jobs that must have succeeded before this one is submitted. */
  dependsOn: z.array(z.string()),
  /** Arrays of the same size: task i waits for their task i (Batch `N_TO_N`). */
  nToN: z.array(z.string()).optional(),
  /** The tasks of the array run one after the other (Batch `SEQUENTIAL`). */
  sequential: z.boolean().optional(),
  /** What `Ref::name` in the command stands for: see `commandOf`. */
  parameters: z.record(z.string(), z.string()).optional(),
  gpus: z.int().optional(),
  ulimits: z.array(Ulimit).optional(),
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
  readonly counts?: ArrayCounts;
  readonly failures?: readonly ChildFailure[];
  /** ISO 8601: Batch did not show the job then, and has not since. */
  readonly missedAt?: string;
}

/** Why a job counts as failed that Batch does not show any more. */
export const FORGOTTEN = 'Batch does not know this job any more';

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

/** What `progressOf` reads: a job of ours, or what Batch shows of one. */
export interface JobProgress {
  readonly status: Job['status'];
  readonly attempt: number;
  /** Of an array. */
  readonly arraySize?: number;
  readonly counts?: ArrayCounts;
}

/**
 * How far a submission is, as a number that only grows: a describe of yesterday, or an event that
 * comes late, never takes a job back. The parent of an array stays PENDING while its tasks run, so it
 * moves when the first of them begins and with every tenth that is over: 10,000 tasks make a dozen
 * steps.
 */
export function progressOf(job: JobProgress): number {
  const { status, attempt } = job;
  if (status === 'WAITING' || status === 'REQUESTED') return -1;
  if (status === 'SUCCEEDED' || status === 'FAILED') return Number.POSITIVE_INFINITY;
  const finished = status === 'STARTING' || status === 'RUNNING' ? attempt - 1 : attempt;
  const steps = job.arraySize === undefined ? finished : arraySteps(job.arraySize, job.counts);
  return steps * BATCH_STATUSES.length + BATCH_STATUSES.indexOf(status);
}

function arraySteps(size: number, counts: ArrayCounts | undefined): number {
  return (hasBegun(counts) ? 1 : 0) + Math.floor((10 * tasksOver(counts)) / size);
}

/** Whether any task of an array was begun, as far as its counts tell. */
export function hasBegun(counts: ArrayCounts = {}): boolean {
  return tasksOver(counts) + (counts.STARTING ?? 0) + (counts.RUNNING ?? 0) > 0;
}

/** How many tasks of an array are over. */
function tasksOver({ SUCCEEDED = 0, FAILED = 0 }: ArrayCounts = {}): number {
  return SUCCEEDED + FAILED;
}

/** How a parameter of a job may be called. */
export const PARAMETER_NAME = /^[A-Za-z0-9_]{1,64}$/;
/** `Ref::name` in a command, alone or inside of an argument, but not the end of another word. */
const REFERENCE = /(?<![A-Za-z0-9_])Ref::([A-Za-z0-9_]*)/g;

/** The names that a command refers to. */
export function referencesOf(command: readonly string[] = []): string[] {
  const names = command.flatMap((argument) =>
    [...argument.matchAll(REFERENCE)].map(([, name = '']) => name),
  );
  return [...new Set(names)];
}

/**
 * The command with its parameters in place, the image's own where undefined. Batch would put them
 * into the command of a job definition; whether it does so in that of a submission nobody has seen,
 * so it is done here, once: what a parameter holds is not looked at again.
 */
export function commandOf({
  command,
  parameters = {},
}: Pick<JobSpec, 'command' | 'parameters'>): string[] | undefined {
  const standIn = (reference: string, name: string) =>
    Object.hasOwn(parameters, name) ? (parameters[name] ?? reference) : reference;
  return command?.map((argument) => argument.replace(REFERENCE, standIn));
}
