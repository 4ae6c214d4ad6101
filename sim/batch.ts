import { type BatchStatus, type Envelope, RETRY_RULES } from '../events';
import type { Jobs, SeenAttempt, SeenJob, SubmittedJob, WantedJob } from '../handlers';
import type { Timeline } from './clock';
import type { Attempt, Hosts } from './hosts';
import type { Random } from './random';

interface Parts {
  readonly clock: Timeline;
  readonly random: Random;
  readonly account: string;
  readonly region: string;
  readonly hosts: Hosts;
  readonly notify: (envelope: Envelope) => void;
}

/** The jobs port, with what a test or a person does to jobs besides. */
export interface LocalBatch extends Jobs {
  /** A Spot interruption of the job's host. 0: without notice. False: nothing runs there. */
  interrupt(jobId: string, noticeMs: number): boolean;
  /** TerminateJob by somebody else. */
  terminate(jobId: string, reason: string): void;
  all(): readonly SeenJob[];
}

const SCHEDULING_MS = { min: 500, max: 1500 };
/** Batch: SIGKILL follows SIGTERM after 30 seconds. */
const GRACE_MS = 30_000;

interface LocalJob {
  readonly jobId: string;
  readonly wanted: WantedJob;
  status: BatchStatus;
  statusReason?: string;
  logStream?: string;
  readonly attempts: SeenAttempt[];
  /** Ended from outside: by TerminateJob, or by the time limit. Then it is not tried again. */
  endReason?: string;
  current?: Attempt;
}

/**
 * The twin of AWS Batch. From the documents: statuses and their order, no event for the submission,
 * attempts and evaluateOnExit, no retry after a termination or a time limit, SIGKILL 30 s after
 * SIGTERM, reasons. Assumed: the times, and that ListJobs and DescribeJobs are never late.
 */
export function localBatch(parts: Parts): LocalBatch {
  const { clock, random, hosts } = parts;
  const jobs = new Map<string, LocalJob>();
  const later = (ms: number, run: () => void) => clock.at(clock.now() + ms, run);
  const byName = (jobName: string) =>
    [...jobs.values()].find((job) => job.wanted.jobName === jobName);

  async function submit(wanted: WantedJob): Promise<SubmittedJob> {
    const known = byName(wanted.jobName);
    if (known) return { ok: true, jobId: known.jobId };
    const jobId = random.uuid();
    const job: LocalJob = { jobId, wanted, status: 'SUBMITTED', attempts: [] };
    jobs.set(jobId, job);
    later(random.between(SCHEDULING_MS.min, SCHEDULING_MS.max), () => makeRunnable(job));
    return { ok: true, jobId };
  }

  function move(job: LocalJob, status: BatchStatus, statusReason?: string): void {
    job.status = status;
    job.statusReason = statusReason;
    parts.notify(stateChange(job, parts, random.uuid()));
  }

  function makeRunnable(job: LocalJob): void {
    if (isOver(job)) return;
    move(job, 'RUNNABLE', job.attempts.at(-1)?.statusReason);
    hosts.provide(job.wanted.zone, (host) => start(job, host));
  }

  function start(job: LocalJob, host: string): void {
    if (isOver(job)) return;
    move(job, 'STARTING');
    const { jobId, wanted } = job;
    const batchAttempt = job.attempts.length + 1;
    const attempt = hosts.begin({
      host,
      jobId,
      wanted,
      batchAttempt,
      onRunning() {
        move(job, 'RUNNING');
        limit(job, batchAttempt);
      },
      onOver: (seen) => finishAttempt(job, seen),
    });
    // A refusal is known before `begin` returns, and then there is nothing under way.
    if (job.attempts.length < batchAttempt) job.current = attempt;
  }

  function limit(job: LocalJob, batchAttempt: number): void {
    const { timeoutSeconds } = job.wanted.spec;
    if (timeoutSeconds === undefined) return;
    later(timeoutSeconds * 1000, () => {
      const isSameAttempt = job.attempts.length === batchAttempt - 1;
      if (isSameAttempt) end(job, 'Job attempt duration exceeded timeout');
    });
  }

  function finishAttempt(job: LocalJob, seen: SeenAttempt): void {
    if (isOver(job)) return;
    job.current = undefined;
    job.attempts.push(seen);
    job.logStream = seen.logStream ?? job.logStream;
    if (job.endReason) return move(job, 'FAILED', job.endReason);
    if (seen.exitCode === 0) return move(job, 'SUCCEEDED', seen.statusReason);
    const mayRetry = job.attempts.length < job.wanted.spec.attempts;
    if (mayRetry && isRetried(seen)) return makeRunnable(job);
    move(job, 'FAILED', seen.statusReason);
  }

  /** Ends a job from outside: what runs gets SIGTERM and 30 seconds, what waits just fails. */
  function end(job: LocalJob, reason: string): void {
    if (isOver(job) || job.endReason) return;
    job.endReason = reason;
    if (job.current) job.current.stop(GRACE_MS);
    else move(job, 'FAILED', reason);
  }

  return {
    submit,
    find: async ({ jobName }) => byName(jobName)?.jobId,
    describe: async (ids) => ids.flatMap((id) => seenOf(jobs.get(id))),
    async stop({ runId, reason }) {
      const living = [...jobs.values()].filter(
        (job) => job.wanted.runId === runId && !isOver(job) && !job.endReason,
      );
      for (const job of living) end(job, reason);
      return living.map(({ jobId }) => jobId);
    },
    interrupt: (jobId, noticeMs) => jobs.get(jobId)?.current?.interrupt(noticeMs) ?? false,
    terminate(jobId, reason) {
      const job = jobs.get(jobId);
      if (job) end(job, reason);
    },
    all: () => [...jobs.values()].flatMap(seenOf),
  };
}

function isOver({ status }: LocalJob): boolean {
  return status === 'SUCCEEDED' || status === 'FAILED';
}

/** evaluateOnExit: the first rule that matches decides; no match would mean another try. */
function isRetried({ exitCode, reason, statusReason }: SeenAttempt): boolean {
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

function seenOf(job: LocalJob | undefined): SeenJob[] {
  if (!job) return [];
  const { jobId, wanted, status, statusReason, attempts, logStream } = job;
  const { jobName } = wanted;
  return [structuredClone({ jobId, jobName, status, statusReason, attempts, logStream })];
}

/** The event of Batch, with the fields of AWS's own example that anybody could want. */
function stateChange(
  { jobId, wanted, status, statusReason, attempts }: LocalJob,
  { account, region, clock }: Parts,
  id: string,
): Envelope {
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
    },
  };
}
