import {
  type ArrayCounts,
  BATCH_STATUSES,
  type BatchStatus,
  type Envelope,
  FAILURES_MAX,
  RETRY_RULES,
} from '../events';
import type { SeenAttempt, SeenJob, WantedJob } from '../handlers';
import { childFailureOf } from '../handlers/lib/job-news';
import type { Timeline } from './clock';
import type { Attempt } from './hosts';

/** A job as the local Batch has it: a single one, an array, or a task of an array. */
export interface LocalJob {
  /** `<array>:<index>` for a task. */
  readonly jobId: string;
  readonly wanted: WantedJob;
  status: BatchStatus;
  statusReason?: string;
  logStream?: string;
  readonly attempts: SeenAttempt[];
  /** Ended from outside: by TerminateJob, or by the time limit. Then it is not tried again. */
  endReason?: string;
  current?: Attempt;
  /** Of a task: which array it belongs to, and as which. */
  readonly place?: { readonly parent: LocalJob; readonly index: number };
  /** Of an array: its tasks, and those that failed in the order in which they did. */
  readonly children: readonly LocalJob[];
  readonly failed: LocalJob[];
}

/** Nothing can happen to the job any more. */
export function isOver({ status }: LocalJob): boolean {
  return status === 'SUCCEEDED' || status === 'FAILED';
}

/** An array, with tasks that exist before Batch shows anything of them. */
export function arrayOf(parent: LocalJob, size: number): LocalJob {
  const children: LocalJob[] = [];
  const array = { ...parent, children };
  for (let index = 0; index < size; index += 1) {
    const jobId = `${parent.jobId}:${index}`;
    children.push({ ...singleOf(jobId, parent.wanted), place: { parent: array, index } });
  }
  return array;
}

/** A job as it is when it was submitted. */
export function singleOf(jobId: string, wanted: WantedJob): LocalJob {
  return { jobId, wanted, status: 'SUBMITTED', attempts: [], children: [], failed: [] };
}

/** evaluateOnExit: the first rule that matches decides; no match would mean another try. */
export function isRetried({ exitCode, reason, statusReason }: SeenAttempt): boolean {
  const rule = RETRY_RULES.find((each) => {
    if ('onStatusReason' in each) return isGlobbed(each.onStatusReason, statusReason);
    if ('onExitCode' in each) return isGlobbed(each.onExitCode, exitCode?.toString());
    return isGlobbed(each.onReason, reason ?? '');
  });
  return rule?.action !== 'EXIT';
}

/** Only a trailing star is a wildcard here. */
function isGlobbed(pattern: string, value: string | undefined): boolean {
  if (value === undefined) return false;
  return pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
}

/** The job as DescribeJobs shows it; nothing for one that there is not. */
export function seenOf(job: LocalJob | undefined): SeenJob[] {
  if (!job) return [];
  const { jobId, wanted, status, statusReason, attempts, logStream, children } = job;
  const { jobName } = wanted;
  const seen = { jobId, jobName, status, statusReason, attempts, logStream };
  const array = children.length > 0 ? seenArray(job) : undefined;
  return [structuredClone(array ? { ...seen, array } : seen)];
}

function seenArray(job: LocalJob): SeenJob['array'] {
  return {
    size: job.children.length,
    counts: countsOf(job),
    failures: job.failed.slice(0, FAILURES_MAX).flatMap(failureOf),
  };
}

function failureOf(child: LocalJob) {
  return seenOf(child).map((seen) => childFailureOf(child.place?.index ?? 0, seen));
}

/** How many tasks of an array are where; Batch names every status. */
function countsOf({ children }: LocalJob): ArrayCounts {
  const counts: { [status in BatchStatus]?: number } = {};
  for (const status of BATCH_STATUSES) counts[status] = 0;
  for (const { status } of children) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

interface Place {
  readonly account: string;
  readonly region: string;
  readonly clock: Timeline;
}

/** The event of Batch, with the fields of AWS's own example that anybody could want. */
export function stateChange(
  job: LocalJob,
  { account, region, clock }: Place,
  id: string,
): Envelope {
  const { jobId, wanted, status, statusReason, attempts } = job;
  const arn = `arn:aws:batch:${region}:${account}`;
  return {
    id,
    source: 'aws.batch',
    'detail-type': 'Batch Job State Change',
    account,
    region,
    time: `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
    resources: [`${arn}:job/${jobId}`],
    detail: {
      jobArn: `${arn}:job/${jobId}`,
      jobName: wanted.jobName,
      jobId,
      jobQueue: `${arn}:job-queue/ebbtide-${wanted.zone}`,
      status,
      statusReason,
      attempts: attempts.map(({ started: _, exitCode, reason, logStream, ...attempt }) => ({
        ...attempt,
        container: { exitCode, reason, logStreamName: logStream },
      })),
      container: { image: wanted.spec.image, command: wanted.spec.command ?? [] },
      ...arrayProperties(job),
    },
  };
}

function arrayProperties(job: LocalJob): object {
  const { place, children } = job;
  if (place) return { arrayProperties: { index: place.index } };
  if (children.length === 0) return {};
  return { arrayProperties: { size: children.length, statusSummary: countsOf(job) } };
}
