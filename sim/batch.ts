import type { BatchStatus, Envelope } from '../events';
import type { Jobs, SeenAttempt, SeenJob, SubmittedJob, WantedJob } from '../handlers';
import {
  arrayOf,
  isOver,
  isRetried,
  type LocalJob,
  seenOf,
  singleOf,
  stateChange,
} from './batch-jobs';
import { batchQueue } from './batch-queue';
import type { Timeline } from './clock';
import type { Hosts } from './hosts';
import type { Random } from './random';

interface Parts {
  readonly clock: Timeline;
  readonly random: Random;
  readonly account: string;
  readonly region: string;
  readonly hosts: Hosts;
  readonly notify: (envelope: Envelope) => void;
  /** The room for all jobs together; without an end where absent. */
  readonly maxVcpus?: number;
}

/** The jobs port, with what a test or a person does to jobs besides. */
export interface LocalBatch extends Jobs {
  /** A Spot interruption of the host of a job, or of a task. 0: without notice. False: nothing runs there. */
  interrupt(jobId: string, noticeMs: number): boolean;
  /** TerminateJob by somebody else: of an array with all its tasks. */
  terminate(jobId: string, reason: string): void;
  /** Single jobs and arrays, in the order of their submission. */
  all(): readonly SeenJob[];
  /** The tasks of an array, by their index. */
  children(jobId: string): readonly SeenJob[];
}

const SCHEDULING_MS = { min: 500, max: 1500 };
/** Batch: SIGKILL follows SIGTERM after 30 seconds. */
const GRACE_MS = 30_000;
/** Field reports; nowhere documented. */
const REASONS = { dependency: 'Dependent Job failed', child: 'Array Child Job failed' };

/**
 * The twin of AWS Batch. From the documents: statuses and their order, no event for the submission,
 * attempts and evaluateOnExit, no retry after a termination or a time limit, SIGKILL 30 s after
 * SIGTERM, reasons; arrays, whose parent is PENDING until all tasks are over, SEQUENTIAL and N_TO_N, time
 * limits and attempts of each task by itself; a queue in order, a job tried again at its head.
 * Assumed: the times, that ListJobs and DescribeJobs are never late, that with a failed task those that
 * wait for it fail one by one, and that a job may wait for one that is over already.
 */
export function localBatch(parts: Parts): LocalBatch {
  const { clock, random, hosts, maxVcpus = Number.POSITIVE_INFINITY } = parts;
  const jobs = new Map<string, LocalJob>();
  const tasks = new Map<string, LocalJob>();
  const waiters = new Map<LocalJob, LocalJob[]>();
  const queue = batchQueue<LocalJob>(maxVcpus);
  const later = (ms: number, run: () => void) => clock.at(clock.now() + ms, run);
  const byName = (jobName: string) =>
    [...jobs.values()].find((job) => job.wanted.jobName === jobName);

  async function submit(wanted: WantedJob): Promise<SubmittedJob> {
    const known = byName(wanted.jobName);
    if (known) return { ok: true, jobId: known.jobId };
    const refusal = refusalOf(wanted);
    if (refusal !== undefined) return { ok: false, reason: refusal };
    const { arraySize } = wanted.spec;
    const single = singleOf(random.uuid(), wanted);
    const job = arraySize === undefined ? single : arrayOf(single, arraySize);
    jobs.set(job.jobId, job);
    for (const task of job.children) tasks.set(task.jobId, task);
    const ms = random.between(SCHEDULING_MS.min, SCHEDULING_MS.max);
    later(ms, () => (arraySize === undefined ? makeRunnable(job) : spawn(job)));
    return { ok: true, jobId: job.jobId };
  }

  function refusalOf({ spec, nToN }: WantedJob): string | undefined {
    const odd = nToN.find((id) => jobs.get(id)?.children.length !== spec.arraySize);
    if (odd === undefined) return undefined;
    return `N_TO_N dependency ${odd} is not an array of ${spec.arraySize ?? 1} jobs`;
  }

  function move(job: LocalJob, status: BatchStatus, statusReason?: string): void {
    job.status = status;
    job.statusReason = statusReason;
    parts.notify(stateChange(job, parts, random.uuid()));
    if (isOver(job)) afterEnd(job);
  }

  /** Gives room free, and wakes the array that the task belongs to and the tasks that wait for it. */
  function afterEnd(job: LocalJob): void {
    queue.leave(job);
    const { place } = job;
    if (!place) return;
    if (job.status === 'FAILED') place.parent.failed.push(job);
    // Not at once: in a long row of tasks each would end within the end of the one before.
    for (const waiter of waiters.get(job) ?? []) later(0, () => proceed(waiter));
    finishArray(place.parent);
  }

  /** The tasks begin to be seen, each at its own pace from now on. */
  function spawn(array: LocalJob): void {
    if (isOver(array)) return;
    if (array.status === 'SUBMITTED') move(array, 'PENDING');
    for (const task of array.children) {
      for (const other of awaitedBy(task)) {
        waiters.set(other, [...(waiters.get(other) ?? []), task]);
      }
      proceed(task);
    }
  }

  /** The task before it where they run one after the other, and its partner in every array of N_TO_N. */
  function awaitedBy({ place, wanted }: LocalJob): readonly LocalJob[] {
    if (!place) return [];
    const { parent, index } = place;
    const before = wanted.spec.sequential ? parent.children[index - 1] : undefined;
    const partners = wanted.nToN.map((id) => jobs.get(id)?.children[index]);
    return [before, ...partners].filter((each) => each !== undefined);
  }

  function proceed(task: LocalJob): void {
    if (task.status !== 'SUBMITTED' && task.status !== 'PENDING') return;
    const awaited = awaitedBy(task);
    if (awaited.some(({ status }) => status === 'FAILED')) {
      return move(task, 'FAILED', REASONS.dependency);
    }
    if (awaited.every(({ status }) => status === 'SUCCEEDED')) return makeRunnable(task);
    if (task.status === 'SUBMITTED') move(task, 'PENDING');
  }

  function finishArray(array: LocalJob): void {
    if (isOver(array) || !array.children.every(isOver)) return;
    if (array.failed.length === 0) return move(array, 'SUCCEEDED');
    move(array, 'FAILED', array.endReason ?? REASONS.child);
  }

  function makeRunnable(job: LocalJob): void {
    if (isOver(job)) return;
    const last = job.attempts.at(-1);
    move(job, 'RUNNABLE', last?.statusReason);
    const { spec, zone } = job.wanted;
    const go = () => hosts.provide(zone, (host) => start(job, host));
    queue.enter({ job, vcpus: spec.vcpus, isFirst: last !== undefined, go });
  }

  function start(job: LocalJob, host: string): void {
    if (isOver(job)) return;
    move(job, 'STARTING');
    const { jobId, wanted, place } = job;
    const batchAttempt = job.attempts.length + 1;
    const attempt = hosts.begin({
      host,
      jobId,
      wanted,
      index: place?.index,
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
    // An array ends with its last task. Who waits longest goes last: else others took its room.
    for (const task of job.children.toReversed()) end(task, reason);
    if (job.children.length > 0) return;
    if (job.current) job.current.stop(GRACE_MS);
    else move(job, 'FAILED', reason);
  }

  return {
    submit,
    find: async ({ jobName }) => byName(jobName)?.jobId,
    describe: async (ids) => ids.flatMap((id) => seenOf(jobs.get(id) ?? tasks.get(id))),
    async stop({ runId, reason }) {
      const living = [...jobs.values()].filter((job) => job.wanted.runId === runId && !isOver(job));
      for (const job of living) end(job, reason);
      return living.map(({ jobId }) => jobId);
    },
    interrupt(jobId, noticeMs) {
      const job = jobs.get(jobId) ?? tasks.get(jobId);
      return job?.current?.interrupt(noticeMs) ?? false;
    },
    terminate(jobId, reason) {
      const job = jobs.get(jobId) ?? tasks.get(jobId);
      if (job) end(job, reason);
    },
    all: () => [...jobs.values()].flatMap(seenOf),
    children: (jobId) => jobs.get(jobId)?.children.flatMap(seenOf) ?? [],
  };
}
