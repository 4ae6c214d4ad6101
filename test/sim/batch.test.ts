import { BatchJobMovedEvent, batchJobName, type Envelope, type Job } from '../../events';
import type { WantedJob } from '../../handlers';
import { localBatch } from '../../sim/batch';
import { virtualClock } from '../../sim/clock';
import { type Container, type Containers, type Exit, localHosts } from '../../sim/hosts';
import { compilePattern } from '../../sim/patterns';
import { seededRandom } from '../../sim/random';
import { localVolumes } from '../../sim/volumes';
import { memoryMarkers, type SimulatedDisks, simulatedContainers } from '../../sim/workload';
import { advance, job, NOW } from '../support/builders';
import { jobsContract } from '../support/jobs.contract';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** What a container does: leaves by itself after a while, or never; heeds SIGTERM, or does not. */
interface Play {
  readonly afterMs?: number;
  readonly exit?: Exit;
  readonly isDeaf?: boolean;
}
const left = (exitCode: number, afterMs = MINUTE): Play => ({
  afterMs,
  exit: { started: true, exitCode },
});
const unstarted = (reason: string): Play => ({ afterMs: 0, exit: { started: false, reason } });
/** A job that works until it is told to leave. */
const WORKS: Play = {};

/** A Batch with hosts and volumes, whose containers play what they are given, one play per start. */
function batchWith(...plays: readonly Play[]) {
  const [clock, random] = [virtualClock(NOW), seededRandom(1)];
  const said: Envelope[] = [];
  const signals: { readonly name: string; readonly at: number }[] = [];
  const left = [...plays];
  const place = { clock, random, account: '000000000000', region: 'us-east-1' };
  const volumes = localVolumes({ ...place, notify: () => {} });
  const signal = (name: string) => void signals.push({ name, at: clock.now() });

  function start(): Container {
    const { afterMs, exit, isDeaf } = left.shift() ?? WORKS;
    let finish: (exit: Exit) => void = () => {};
    const ended = new Promise<Exit>((resolve) => {
      finish = resolve;
    });
    if (exit) clock.at(clock.now() + (afterMs ?? 0), () => finish(exit));
    return {
      started: exit?.started === false ? new Promise(() => {}) : Promise.resolve(),
      exit: ended,
      terminate() {
        signal('SIGTERM');
        if (!isDeaf) clock.at(clock.now() + 1000, () => finish({ started: true, exitCode: 143 }));
      },
      kill() {
        signal('SIGKILL');
        finish({ started: true, exitCode: 137 });
      },
    };
  }
  const containers: Containers = { start };
  const fileSystems = { mount: () => ({ ok: true }) as const };
  const markers = memoryMarkers();
  const hosts = localHosts({ clock, random, volumes, fileSystems, containers, markers });
  const batch = localBatch({ ...place, hosts, notify: (envelope) => void said.push(envelope) });

  async function storageOf(runId: string): Promise<string> {
    const token = { clientToken: `${runId}.storage.1`, runId, zone: 'us-east-1a' };
    const made = await volumes.create({ ...token, sizeGib: 10, iops: 3000, throughputMibps: 125 });
    return made.ok ? made.volumeId : '';
  }
  async function submitted(spec: Partial<Job> = {}, wanted: Partial<WantedJob> = {}) {
    const answer = await batch.submit({
      ...{ jobName: batchJobName('r1', 'main', 1), runId: 'r1', zone: 'us-east-1a' },
      ...{ storage: await storageOf('r1'), results: { bucket: 'results', prefix: 'runs/r1/' } },
      ...{ submission: 1, spec: job(spec), nToN: [], hasInput: false, ...wanted },
    });
    return answer.ok === true ? answer.jobId : '';
  }
  const pass = (ms: number) => advance(clock, ms);
  const seen = async (jobId: string) => (await batch.describe([jobId]))[0];
  /** The job once it is in this status. */
  async function reached(jobId: string, status: string) {
    const isThere = () =>
      batch.all().some((each) => each.jobId === jobId && each.status === status);
    await clock.runUntil(isThere, 10_000);
    return seen(jobId);
  }
  /** The job when nothing happens to it any more. */
  async function atRest(jobId: string) {
    await pass(DAY);
    return seen(jobId);
  }
  return {
    clock,
    batch,
    volumes,
    said,
    signals,
    storageOf,
    submitted,
    pass,
    seen,
    reached,
    atRest,
  };
}

jobsContract('Batch in the simulator', () => {
  const { batch, storageOf, pass } = batchWith();
  const sharedStorageOf = async () => 'fs-0123456789abcdef0@fsx1';
  return { jobs: batch, storageOf, sharedStorageOf, advance: pass };
});

describe('Batch tries a job again', () => {
  it.each([
    ['its container could not be started', unstarted('CannotStartContainerError: no mount')],
    ['Docker was too slow', unstarted('DockerTimeoutError: Could not transition to started')],
    ['it left with 143: interrupted, call me again', left(143)],
  ])('when %s', async (_why, play) => {
    const { submitted, atRest } = batchWith(play, left(0));
    expect(await atRest(await submitted())).toMatchObject({
      status: 'SUCCEEDED',
      attempts: [{}, { exitCode: 0 }],
    });
  });

  it('when its host is gone', async () => {
    const { batch, submitted, reached, atRest } = batchWith(WORKS, left(0));
    const jobId = await submitted();
    await reached(jobId, 'RUNNING');
    batch.interrupt(jobId, 0);
    expect(await atRest(jobId)).toMatchObject({ status: 'SUCCEEDED', attempts: [{}, {}] });
  });

  it('as often as it may', async () => {
    const { submitted, atRest } = batchWith(left(143), left(143), left(143), left(0));
    expect(await atRest(await submitted({ attempts: 3 }))).toMatchObject({
      status: 'FAILED',
      attempts: [{}, {}, {}],
    });
  });
});

describe('Batch gives a job up', () => {
  it.each([
    ['that left with 1', left(1)],
    ['that was killed by the kernel', left(137)],
    ['that left with 255', left(255)],
    ['whose image is not there', unstarted('CannotPullContainerError: not found')],
  ])('%s, whatever attempts it has left', async (_what, play) => {
    const { submitted, atRest } = batchWith(play, left(0));
    const seen = await atRest(await submitted());
    expect([seen?.status, seen?.attempts.length]).toEqual(['FAILED', 1]);
  });

  it('with the reason of its last attempt', async () => {
    const { submitted, atRest } = batchWith(left(1));
    expect(await atRest(await submitted())).toMatchObject({
      statusReason: 'Essential container in task exited',
      attempts: [{ exitCode: 1, statusReason: 'Essential container in task exited' }],
    });
  });

  it.each([
    ['one that waits', 'SUBMITTED'],
    ['one that waits for a host', 'RUNNABLE'],
    ['one that runs, although it leaves with 143', 'RUNNING'],
  ])('when somebody terminates it: %s', async (_what, status) => {
    const { batch, submitted, reached, atRest } = batchWith();
    const jobId = await submitted();
    await reached(jobId, status);
    batch.terminate(jobId, 'enough');
    expect(await atRest(jobId)).toMatchObject({ status: 'FAILED', statusReason: 'enough' });
  });
});

describe('a time limit', () => {
  const limit = { timeoutSeconds: 60 };

  it('ends a job for good, although it leaves with 143', async () => {
    const { submitted, atRest } = batchWith(WORKS, left(0));
    expect(await atRest(await submitted(limit))).toMatchObject({
      status: 'FAILED',
      statusReason: 'Job attempt duration exceeded timeout',
      attempts: [{ exitCode: 143 }],
    });
  });

  it('counts from when the attempt runs', async () => {
    const { clock, signals, submitted, reached, pass } = batchWith();
    await reached(await submitted(limit), 'RUNNING');
    const begun = clock.now();
    await pass(2 * MINUTE);
    expect(signals).toMatchObject([{ name: 'SIGTERM', at: begun + MINUTE }, {}]);
  });

  it('counts for each attempt anew', async () => {
    const { submitted, atRest } = batchWith(left(143, 50_000), left(0, 55_000));
    expect(await atRest(await submitted(limit))).toMatchObject({ status: 'SUCCEEDED' });
  });
});

describe('who ends a job', () => {
  it('lets it leave for 30 seconds, then kills it', async () => {
    const { batch, signals, submitted, reached, atRest } = batchWith({ isDeaf: true });
    const jobId = await submitted();
    await reached(jobId, 'RUNNING');
    batch.terminate(jobId, 'enough');
    await atRest(jobId);
    const [term, kill] = signals;
    expect([term?.name, kill?.name, (kill?.at ?? 0) - (term?.at ?? 0)]).toEqual([
      'SIGTERM',
      'SIGKILL',
      30_000,
    ]);
  });

  it('does not wait where the attempt waits for its storage', async () => {
    const { batch, volumes, submitted, storageOf, reached, pass, seen } = batchWith();
    const volumeId = await storageOf('r1');
    await pass(5000);
    volumes.attach(volumeId, 'i-other');
    const jobId = await submitted();
    await reached(jobId, 'STARTING');
    batch.terminate(jobId, 'enough');
    expect(await seen(jobId)).toMatchObject({ status: 'FAILED', attempts: [{ started: false }] });
  });
});

describe('a Spot interruption', () => {
  /** A job that runs, and its first attempt when it was interrupted. */
  async function interrupted(noticeMs: number, play: Play = WORKS) {
    const world = batchWith(play, left(0));
    const jobId = await world.submitted();
    await world.reached(jobId, 'RUNNING');
    const isTaken = world.batch.interrupt(jobId, noticeMs);
    const [attempt] = (await world.atRest(jobId))?.attempts ?? [];
    return { ...world, isTaken, attempt };
  }

  it('without notice leaves no exit code, and names the host', async () => {
    const { attempt } = await interrupted(0);
    expect(attempt).toEqual({
      started: true,
      statusReason: expect.stringMatching(/^Host EC2 \(instance i-0[0-9a-f]{16}\) terminated\.$/),
      logStream: expect.any(String),
    });
  });

  it('with notice lets the job leave by itself', async () => {
    const { attempt } = await interrupted(2 * MINUTE);
    expect(attempt).toMatchObject({
      exitCode: 143,
      statusReason: 'Essential container in task exited',
    });
  });

  it('with notice takes a job along that does not listen', async () => {
    const { attempt } = await interrupted(2 * MINUTE, { isDeaf: true });
    expect(attempt).toMatchObject({ statusReason: expect.stringMatching(/^Host EC2/) });
    expect(attempt).not.toHaveProperty('exitCode');
  });

  it('says SIGTERM at the notice, and kills when the notice is over', async () => {
    const { signals } = await interrupted(2 * MINUTE, { isDeaf: true });
    const [term, kill] = signals;
    expect([term?.name, kill?.name, (kill?.at ?? 0) - (term?.at ?? 0)]).toEqual([
      'SIGTERM',
      'SIGKILL',
      2 * MINUTE,
    ]);
  });

  it('meets a job that runs', async () => {
    expect((await interrupted(0)).isTaken).toBe(true);
  });

  it.each(['RUNNABLE', 'SUCCEEDED'])('meets nothing when the job is %s', async (status) => {
    const { batch, submitted, reached } = batchWith(left(0));
    const jobId = await submitted();
    await reached(jobId, status);
    expect(batch.interrupt(jobId, 0)).toBe(false);
  });

  it('meets nothing where there is no such job', () => {
    expect(batchWith().batch.interrupt('job-9', 0)).toBe(false);
  });

  it('of a host that is dying already meets nothing more', async () => {
    const { batch, submitted, reached } = batchWith({ isDeaf: true });
    const jobId = await submitted();
    await reached(jobId, 'RUNNING');
    batch.interrupt(jobId, 2 * MINUTE);
    expect(batch.interrupt(jobId, 0)).toBe(false);
  });
});

describe('a volume that another host holds', () => {
  async function held() {
    const world = batchWith(left(0));
    const volumeId = await world.storageOf('r1');
    await world.pass(5000);
    world.volumes.attach(volumeId, 'i-dying');
    const jobId = await world.submitted();
    await world.reached(jobId, 'STARTING');
    return { ...world, volumeId, jobId };
  }

  it('is waited for', async () => {
    const { volumes, jobId, atRest, pass } = await held();
    await pass(5 * MINUTE);
    volumes.hostGone('i-dying');
    expect(await atRest(jobId)).toMatchObject({
      status: 'SUCCEEDED',
      attempts: [{ exitCode: 0 }],
    });
  });

  it('is refused by name when it is not given free within ten minutes', async () => {
    const { volumeId, jobId, reached } = await held();
    expect(await reached(jobId, 'RUNNABLE')).toMatchObject({
      attempts: [
        {
          started: false,
          reason: `CannotStartContainerError: volume ${volumeId} is attached to i-dying`,
          statusReason: 'Task failed to start',
        },
      ],
    });
  });

  it('is never stolen', async () => {
    const { volumes, volumeId, pass } = await held();
    await pass(30 * MINUTE);
    expect(volumes.get(volumeId)?.host).toBe('i-dying');
  });

  it('is not waited for longer than ten minutes and a look', async () => {
    const { clock, jobId, reached } = await held();
    const begun = clock.now();
    await reached(jobId, 'RUNNABLE');
    const waited = clock.now() - begun;
    expect([waited >= 10 * MINUTE, waited <= 10 * MINUTE + 2000]).toEqual([true, true]);
  });
});

describe('the fence of a storage', () => {
  it('keeps out a second job of one submission, and says whose it is', async () => {
    const { submitted, atRest, reached } = batchWith(left(143), left(0));
    const first = await submitted({ attempts: 1 });
    await reached(first, 'FAILED');
    const twin = await submitted({ attempts: 1 }, { jobName: 'ebbtide-r1_main_001' });
    expect(await atRest(twin)).toMatchObject({
      status: 'FAILED',
      attempts: [
        {
          started: false,
          reason: `CannotStartContainerError: submission main/1 is claimed by job ${first}, not by ${twin}`,
        },
      ],
    });
  });

  it('gives the volume free again that it kept somebody from', async () => {
    const { volumes, storageOf, submitted, atRest, reached } = batchWith(left(143), left(0));
    await reached(await submitted({ attempts: 1 }), 'FAILED');
    await atRest(await submitted({ attempts: 1 }, { jobName: 'ebbtide-r1_main_001' }));
    expect(volumes.get(await storageOf('r1'))?.state).toBe('available');
  });
});

describe('the events of Batch', () => {
  async function told(...plays: readonly Play[]) {
    const world = batchWith(...plays);
    const jobId = await world.submitted({ command: ['run'] });
    await world.atRest(jobId);
    return { ...world, jobId };
  }
  const statusOf = ({ detail }: Envelope) => (detail as { status: string }).status;

  it('tell every move, and nothing of the submission', async () => {
    const { said } = await told(left(143), left(0));
    const attempt = ['RUNNABLE', 'STARTING', 'RUNNING'];
    expect(said.map(statusOf)).toEqual([...attempt, ...attempt, 'SUCCEEDED']);
  });

  it('tell nothing of RUNNING where no container started', async () => {
    const { said } = await told(unstarted('CannotPullContainerError: not found'));
    expect(said.map(statusOf)).toEqual(['RUNNABLE', 'STARTING', 'FAILED']);
  });

  it('have the form of AWS', async () => {
    const { said, jobId } = await told(left(1));
    const arn = 'arn:aws:batch:us-east-1:000000000000';
    expect(said.at(-1)).toMatchObject({
      source: 'aws.batch',
      'detail-type': 'Batch Job State Change',
      account: '000000000000',
      region: 'us-east-1',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      resources: [`${arn}:job/${jobId}`],
      detail: {
        jobArn: `${arn}:job/${jobId}`,
        jobName: 'ebbtide-r1_main_1',
        jobId,
        jobQueue: `${arn}:job-queue/ebbtide-us-east-1a`,
        status: 'FAILED',
        statusReason: 'Essential container in task exited',
        attempts: [
          {
            container: { exitCode: 1, logStreamName: `${jobId}/1` },
            statusReason: 'Essential container in task exited',
          },
        ],
        container: { command: ['run'] },
      },
    });
  });

  it('are read by our contract, and let through by its patterns', async () => {
    const { said, jobId } = await told(left(0));
    const [pattern] = BatchJobMovedEvent.patterns;
    expect(said.filter((envelope) => !compilePattern(pattern)(envelope))).toEqual([]);
    expect(BatchJobMovedEvent.parse(said[0] as Envelope)).toEqual({
      type: 'Batch Job State Change',
      about: { runId: 'r1' },
      data: { jobId, status: 'RUNNABLE' },
    });
  });
});

describe('the work of a simulated job', () => {
  const workload = { workMs: 10 * MINUTE, checkpointMs: MINUTE };
  /** Starts a job on a volume, and says what the volume holds after a while. */
  function working(disks: SimulatedDisks = new Map()) {
    const clock = virtualClock(NOW);
    const [leave, workloadOf] = [() => {}, () => workload];
    const containers = simulatedContainers({ clock, leave, disks, workloadOf });
    return (name: string, storage: string, ms: number) => {
      const results = { bucket: 'results', prefix: 'runs/r1/' };
      const place = { jobName: batchJobName('r1', name, 1), runId: 'r1', zone: 'us-east-1a' };
      const asked = { submission: 1, spec: job({ name }), nToN: [], hasInput: false };
      const wanted = { ...place, storage, results, ...asked };
      const counts = { batchAttempt: 1, attempt: 1, interrupted: false };
      containers.start({ jobId: name, wanted, host: 'i-1', ...counts });
      return advance(clock, ms).then(() => Object.fromEntries(disks));
    };
  }

  it('is saved for each job of a volume by itself', async () => {
    const work = working();
    await work('a', 'vol-1', 2.5 * MINUTE);
    expect(await work('b', 'vol-1', 1.2 * MINUTE)).toEqual({
      'vol-1/a': 3 * MINUTE,
      'vol-1/b': MINUTE,
    });
  });

  it('goes on from what the volume holds of this job', async () => {
    const work = working(new Map([['vol-1/a', 8 * MINUTE]]));
    expect(await work('a', 'vol-1', DAY)).toEqual({ 'vol-1/a': 10 * MINUTE });
  });

  it('begins anew on another volume', async () => {
    const work = working(new Map([['vol-1/a', 8 * MINUTE]]));
    expect(await work('a', 'vol-2', 1.2 * MINUTE)).toMatchObject({ 'vol-2/a': MINUTE });
  });
});
