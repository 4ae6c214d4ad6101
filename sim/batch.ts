import { type BatchStatus, type Envelope, INTERRUPTED_EXIT, RETRY_RULES } from '../events';
import type { Jobs, SeenAttempt, SeenJob, SubmittedJob, WantedJob } from '../handlers';
import { claim, leave, type Marker } from './claim';
import type { Timeline } from './clock';
import type { Random } from './random';
import type { LocalVolumes } from './volumes';

/** One container to run: the job, and what the host tells it. */
export interface Task {
  readonly jobId: string;
  readonly wanted: WantedJob;
  readonly host: string;
  /** Batch's count: attempts of this submission, from 1. */
  readonly batchAttempt: number;
  /** The storage's count: starts of this job on it, from 1. */
  readonly attempt: number;
  /** The previous start left no exit. */
  readonly interrupted: boolean;
}

/** How a container ended. No exit code: it never ran, or its host was lost. */
export interface Exit {
  readonly started: boolean;
  readonly exitCode?: number;
  readonly reason?: string;
}

export interface Container {
  readonly exit: Promise<Exit>;
  /** SIGTERM to the job's main process, as Docker sends it. */
  terminate(): void;
  /** SIGKILL to everything the job has started. */
  kill(): void;
}

/** Where a job's commands really run: as processes, or as a simulation of some. */
export interface Containers {
  start(task: Task): Container;
}

/** What is on a volume beside the job's data. */
export interface Markers {
  read(volumeId: string): Marker | undefined;
  write(volumeId: string, marker: Marker): void;
}

/** What happens on hosts, for those who watch: Batch itself tells less. */
export type HostFact =
  | { readonly kind: 'started' | 'noticed' | 'killed'; readonly at: number; readonly task: Task }
  | { readonly kind: 'ended'; readonly at: number; readonly task: Task; readonly exit: Exit };

interface Parts {
  readonly clock: Timeline;
  readonly random: Random;
  readonly account: string;
  readonly region: string;
  readonly volumes: LocalVolumes;
  readonly containers: Containers;
  readonly markers: Markers;
  readonly notify: (envelope: Envelope) => void;
  readonly onFact?: (fact: HostFact) => void;
}

/** The jobs port, with what happens to hosts besides. */
export interface LocalBatch extends Jobs {
  /** A Spot interruption of the job's host: a notice, then its end. 0: without notice. */
  interrupt(jobId: string, noticeMs: number): boolean;
  jobs(): readonly SeenJob[];
  /** Kills every container, and starts none any more. */
  close(): void;
}

/** A cold host: 2 to 5 minutes are reported; the local cloud is a little faster. A warm one: assumed. */
const COLD_START_MS = { min: 90_000, max: 150_000 };
const WARM_START_MS = { min: 2000, max: 5000 };
const SCHEDULING_MS = { min: 500, max: 1500 };
/** ECS_CONTAINER_START_TIMEOUT of our hosts; a volume held by a dying host is waited for so long. */
const START_TIMEOUT_MS = 600_000;
const ATTACH_EVERY_MS = 2000;
/** Batch: SIGKILL follows SIGTERM after 30 seconds. */
export const GRACE_MS = 30_000;

interface LocalJob {
  readonly jobId: string;
  readonly wanted: WantedJob;
  status: BatchStatus;
  statusReason?: string;
  logStream?: string;
  readonly attempts: SeenAttempt[];
  /** Ended from outside: by TerminateJob, or by the time limit. Then it is not tried again. */
  endReason?: string;
  running?: { readonly container: Container; readonly task: Task; isHostLost: boolean };
}

/**
 * The twin of AWS Batch on Spot. From the documents: statuses and their order, no event for the
 * submission, attempts and evaluateOnExit, no retry after a termination or a time limit, SIGKILL 30 s
 * after SIGTERM, reasons. Assumed: the times, and that ListJobs and DescribeJobs are never late.
 */
export function localBatch(parts: Parts): LocalBatch {
  const { clock, random, volumes, markers, onFact = () => {} } = parts;
  const jobs = new Map<string, LocalJob>();
  const idleHosts: { readonly host: string; readonly zone: string }[] = [];
  let isClosed = false;

  const later = (ms: number, run: () => void) => clock.at(clock.now() + ms, run);
  const soon = ({ min, max }: { min: number; max: number }, run: () => void) =>
    later(random.between(min, max), run);

  async function submit(wanted: WantedJob): Promise<SubmittedJob> {
    const living = [...jobs.values()].find((job) => job.wanted.jobName === wanted.jobName);
    if (living) return { ok: true, jobId: living.jobId };
    const jobId = random.uuid();
    const job: LocalJob = { jobId, wanted, status: 'SUBMITTED', attempts: [] };
    jobs.set(jobId, job);
    soon(SCHEDULING_MS, () => makeRunnable(job));
    return { ok: true, jobId };
  }

  function move(job: LocalJob, status: BatchStatus, statusReason?: string): void {
    job.status = status;
    job.statusReason = statusReason;
    parts.notify(stateChange(job, parts, random.uuid()));
  }

  function makeRunnable(job: LocalJob): void {
    if (isOver(job)) return;
    if (job.endReason) return move(job, 'FAILED', job.endReason);
    move(job, 'RUNNABLE', job.attempts.at(-1)?.statusReason);
    const index = idleHosts.findIndex(({ zone }) => zone === job.wanted.zone);
    const [warm] = index < 0 ? [] : idleHosts.splice(index, 1);
    const host = warm?.host ?? `i-0${random.hex(16)}`;
    soon(warm ? WARM_START_MS : COLD_START_MS, () => start(job, host));
  }

  function start(job: LocalJob, host: string): void {
    if (isOver(job) || isClosed) return;
    move(job, 'STARTING');
    mount(job, host, clock.now() + START_TIMEOUT_MS);
  }

  /** Takes the volume when it is free, waits for one that a dying host still holds, and never steals. */
  function mount(job: LocalJob, host: string, until: number): void {
    if (isOver(job) || isClosed) return;
    const volumeId = job.wanted.storage;
    const attached = volumes.attach(volumeId, host);
    if (attached.ok) return enter(job, host, volumeId);
    if (clock.now() >= until) return refuse(job, host, attached.reason);
    later(ATTACH_EVERY_MS, () => mount(job, host, until));
  }

  function enter(job: LocalJob, host: string, volumeId: string): void {
    const { runId, submission, spec } = job.wanted;
    const claimant = { runId, submission, job: spec.name, jobId: job.jobId };
    const claimed = claim(markers.read(volumeId), claimant);
    if (!claimed.ok) {
      volumes.detach(volumeId, host);
      return refuse(job, host, claimed.reason);
    }
    markers.write(volumeId, claimed.marker);
    const { attempt, interrupted } = claimed;
    const batchAttempt = job.attempts.length + 1;
    const task = { jobId: job.jobId, wanted: job.wanted, host, batchAttempt, attempt, interrupted };
    const container = parts.containers.start(task);
    const running = { container, task, isHostLost: false };
    job.running = running;
    move(job, 'RUNNING');
    onFact({ kind: 'started', at: clock.now(), task });
    limit(job, running.task);
    container.exit.then((exit) => {
      if (!isClosed) ended(job, running, exit);
    });
  }

  function limit(job: LocalJob, task: Task): void {
    const { timeoutSeconds } = job.wanted.spec;
    if (timeoutSeconds === undefined) return;
    later(timeoutSeconds * 1000, () => {
      if (job.running?.task === task) end(job, 'Job attempt duration exceeded timeout');
    });
  }

  function ended(
    job: LocalJob,
    { task, isHostLost }: NonNullable<LocalJob['running']>,
    exit: Exit,
  ) {
    const seen: Exit = isHostLost ? { started: true } : exit;
    const volumeId = job.wanted.storage;
    const marker = markers.read(volumeId);
    if (!isHostLost) {
      if (marker) markers.write(volumeId, leave(marker, job.wanted.spec.name));
      volumes.detach(volumeId, task.host);
      if (!dying.has(task.host)) idleHosts.push({ host: task.host, zone: job.wanted.zone });
    }
    job.running = undefined;
    onFact({ kind: 'ended', at: clock.now(), task, exit: seen });
    const hostReason = `Host EC2 (instance ${task.host}) terminated.`;
    const ownReason = seen.started ? 'Essential container in task exited' : 'Task failed to start';
    finishAttempt(job, {
      ...seen,
      statusReason: isHostLost ? hostReason : ownReason,
      logStream: `${job.jobId}/${task.batchAttempt}`,
    });
  }

  function refuse(job: LocalJob, host: string, reason: string): void {
    idleHosts.push({ host, zone: job.wanted.zone });
    finishAttempt(job, {
      started: false,
      reason: `CannotStartContainerError: ${reason}`,
      statusReason: 'Task failed to start',
    });
  }

  function finishAttempt(job: LocalJob, attempt: SeenAttempt): void {
    job.attempts.push(attempt);
    job.logStream = attempt.logStream ?? job.logStream;
    if (job.endReason) return move(job, 'FAILED', job.endReason);
    if (attempt.exitCode === 0) return move(job, 'SUCCEEDED', attempt.statusReason);
    const mayRetry = job.attempts.length < job.wanted.spec.attempts;
    if (mayRetry && isRetried(attempt)) return makeRunnable(job);
    move(job, 'FAILED', attempt.statusReason);
  }

  /** Ends a job from outside: what runs gets SIGTERM and 30 seconds, what waits just fails. */
  function end(job: LocalJob, reason: string): void {
    if (isOver(job)) return;
    job.endReason ??= reason;
    const { running } = job;
    if (!running) {
      if (job.status !== 'STARTING') move(job, 'FAILED', job.endReason);
      else finishAttempt(job, { started: false, statusReason: 'Task stopped' });
      return;
    }
    running.container.terminate();
    later(GRACE_MS, () => running.container.kill());
  }

  const dying = new Set<string>();

  function interrupt(jobId: string, noticeMs: number): boolean {
    const running = jobs.get(jobId)?.running;
    if (!running || dying.has(running.task.host)) return false;
    const { task, container } = running;
    dying.add(task.host);
    const die = () => {
      const isThere = jobs.get(jobId)?.running === running;
      running.isHostLost = isThere;
      if (isThere) onFact({ kind: 'killed', at: clock.now(), task });
      container.kill();
      volumes.hostGone(task.host);
    };
    if (noticeMs <= 0) {
      die();
      return true;
    }
    onFact({ kind: 'noticed', at: clock.now(), task });
    container.terminate();
    later(noticeMs, die);
    return true;
  }

  return {
    submit,
    find: async ({ jobName }) =>
      [...jobs.values()].find((job) => job.wanted.jobName === jobName)?.jobId,
    describe: async (ids) => ids.flatMap((id) => seenOf(jobs.get(id))),
    async stop({ runId, reason }) {
      const living = [...jobs.values()].filter(
        (job) => job.wanted.runId === runId && !isOver(job) && !job.endReason,
      );
      for (const job of living) end(job, reason);
      return living.map(({ jobId }) => jobId);
    },
    interrupt,
    jobs: () => [...jobs.values()].flatMap(seenOf),
    close() {
      isClosed = true;
      for (const { running } of jobs.values()) running?.container.kill();
    },
  };
}

function isOver({ status }: LocalJob): boolean {
  return status === 'SUCCEEDED' || status === 'FAILED';
}

/** evaluateOnExit: the first rule that matches decides; a rule matches when all it names does. */
function isRetried({ exitCode, reason, statusReason }: SeenAttempt): boolean {
  const rule = RETRY_RULES.find((each) => {
    if ('onStatusReason' in each) return globbed(each.onStatusReason, statusReason);
    if ('onExitCode' in each) return globbed(each.onExitCode, exitCode?.toString());
    return each.onReason === '*' || globbed(each.onReason, reason);
  });
  return rule?.action !== 'EXIT';
}

/** Only a trailing star is a wildcard here. */
function globbed(pattern: string, value: string | undefined): boolean {
  if (value === undefined) return false;
  return pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
}

function seenOf(job: LocalJob | undefined): SeenJob[] {
  if (!job) return [];
  const { jobId, wanted, status, statusReason, attempts, logStream } = job;
  return [
    structuredClone({ jobId, jobName: wanted.jobName, status, statusReason, attempts, logStream }),
  ];
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

export const INTERRUPTED: Exit = { started: true, exitCode: INTERRUPTED_EXIT };
