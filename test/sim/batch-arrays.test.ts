import { BatchJobMovedEvent, batchJobName, type Envelope, type Job } from '../../events';
import type { WantedJob } from '../../handlers';
import { localBatch } from '../../sim/batch';
import type { Marker } from '../../sim/claim';
import { virtualClock } from '../../sim/clock';
import { type Containers, type Exit, localHosts, type Task } from '../../sim/hosts';
import { compilePattern } from '../../sim/patterns';
import { seededRandom } from '../../sim/random';
import { localVolumes } from '../../sim/volumes';
import { memoryMarkers } from '../../sim/workload';
import { advance, job, NOW } from '../support/builders';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const STORAGE = 'fs-0123456789abcdef0@fsx1';

interface Options {
  /** What a task leaves with after a minute; absent: it works until it is told to leave. */
  readonly exitOf?: (task: Task) => number | undefined;
  readonly maxVcpus?: number;
  /** Why nothing can be mounted. */
  readonly unmountable?: string;
}

/** A start of a container, and when it was over. */
interface Start {
  readonly task: Task;
  readonly at: number;
  endedAt: number;
}

/** A Batch whose hosts share a file system, and everything that began on it. */
function arraysWith({ exitOf = () => 0, maxVcpus, unmountable }: Options = {}) {
  const [clock, random] = [virtualClock(NOW), seededRandom(1)];
  const said: Envelope[] = [];
  const starts: Start[] = [];
  const place = { clock, random, account: '000000000000', region: 'us-east-1' };
  const markers = memoryMarkers();
  const containers: Containers = {
    start(task) {
      const begun: Start = { task, at: clock.now(), endedAt: Number.POSITIVE_INFINITY };
      starts.push(begun);
      let finish: (exit: Exit) => void = () => {};
      const exit = new Promise<Exit>((resolve) => {
        finish = (ended) => {
          begun.endedAt = Math.min(begun.endedAt, clock.now());
          resolve(ended);
        };
      });
      const leave = (exitCode: number) => finish({ started: true, exitCode });
      const exitCode = exitOf(task);
      if (exitCode !== undefined) clock.at(clock.now() + MINUTE, () => leave(exitCode));
      const terminate = () => void clock.at(clock.now() + 1000, () => leave(143));
      return { started: Promise.resolve(), exit, terminate, kill: () => leave(137) };
    },
  };
  const mounted: string[] = [];
  const fileSystems = {
    mount(fileSystemId: string) {
      mounted.push(fileSystemId);
      return unmountable ? { ok: false as const, reason: unmountable } : { ok: true as const };
    },
  };
  const volumes = localVolumes({ ...place, notify: () => {} });
  const hosts = localHosts({ clock, random, volumes, fileSystems, containers, markers });
  const notify = (envelope: Envelope) => void said.push(envelope);
  const batch = localBatch({ ...place, hosts, notify, maxVcpus });

  async function submitted(spec: Partial<Job> = {}, wanted: Partial<WantedJob> = {}) {
    const all = job({ name: 'a', arraySize: 3, vcpus: 1, ...spec });
    const answer = await batch.submit({
      ...{ jobName: batchJobName('r1', all.name, wanted.submission ?? 1), runId: 'r1' },
      ...{ zone: 'us-east-1a', storage: STORAGE, submission: 1, spec: all, nToN: [] },
      ...{ results: { bucket: 'results', prefix: 'runs/r1/' }, hasInput: false, ...wanted },
    });
    if (answer.ok !== true) throw new Error(answer.reason);
    return answer.jobId;
  }
  const pass = (ms: number) => advance(clock, ms);
  const seen = async (jobId: string) => (await batch.describe([jobId]))[0];
  async function atRest(jobId: string) {
    await pass(DAY);
    return seen(jobId);
  }
  const reached = (isThere: () => boolean) => clock.runUntil(isThere, 10_000);
  const running = (jobId: string) => () =>
    batch.children(jobId).some(({ status }) => status === 'RUNNING');
  const marker = (): Marker | undefined => markers.read(STORAGE);
  const statuses = (jobId: string) => batch.children(jobId).map(({ status }) => status);
  const world = { clock, batch, said, starts, mounted, submitted, pass, seen, atRest };
  return { ...world, reached, running, marker, statuses };
}

/** The most containers that were there at once. */
function mostAtOnce(starts: readonly Start[]): number {
  const beside = ({ at }: Start) =>
    starts.filter((each) => each.at <= at && each.endedAt > at).length;
  return Math.max(0, ...starts.map(beside));
}

describe('an array at Batch', () => {
  it('succeeds when all its tasks have', async () => {
    const { submitted, atRest } = arraysWith();
    expect(await atRest(await submitted())).toMatchObject({
      status: 'SUCCEEDED',
      attempts: [],
      array: { size: 3, counts: { SUCCEEDED: 3, FAILED: 0, RUNNING: 0 }, failures: [] },
    });
  });

  it('has tasks under its own id and their index', async () => {
    const { batch, starts, submitted, atRest } = arraysWith();
    const jobId = await submitted();
    await atRest(jobId);
    const ids = [`${jobId}:0`, `${jobId}:1`, `${jobId}:2`];
    expect(batch.children(jobId).map((child) => child.jobId)).toEqual(ids);
    expect(starts.map(({ task }) => [task.jobId, task.index]).sort()).toEqual(
      ids.map((id, index) => [id, index]),
    );
  });

  it('runs its tasks beside each other, each on a host of its own', async () => {
    const { starts, submitted, atRest } = arraysWith();
    await atRest(await submitted());
    expect([mostAtOnce(starts) > 1, new Set(starts.map(({ task }) => task.host)).size]).toEqual([
      true,
      3,
    ]);
  });

  it('fails only when the last of its tasks is over, and says which failed and why', async () => {
    const exitOf = ({ index }: Task) => (index === 1 ? 3 : undefined);
    const { batch, submitted, pass, seen, atRest } = arraysWith({ exitOf });
    const jobId = await submitted();
    await pass(DAY);
    expect(await seen(jobId)).toMatchObject({
      status: 'PENDING',
      array: { counts: { FAILED: 1 } },
    });
    for (const index of [0, 2]) batch.terminate(`${jobId}:${index}`, 'enough');
    expect(await atRest(jobId)).toMatchObject({
      status: 'FAILED',
      statusReason: 'Array Child Job failed',
      array: {
        counts: { FAILED: 3 },
        failures: [
          {
            index: 1,
            exitCode: 3,
            statusReason: 'Essential container in task exited',
            logStream: `${jobId}:1/1`,
          },
          { exitCode: 143, statusReason: expect.stringContaining('enough') },
          { exitCode: 143 },
        ],
      },
    });
  });

  it('tells of 20 failures at the most', async () => {
    const { submitted, atRest } = arraysWith({ exitOf: () => 1 });
    const seen = await atRest(await submitted({ arraySize: 25 }));
    expect([seen?.array?.counts.FAILED, seen?.array?.failures.length]).toEqual([25, 20]);
  });

  it('tries each task again by itself', async () => {
    const exitOf = ({ index, batchAttempt }: Task) => (index === 1 && batchAttempt < 3 ? 143 : 0);
    const { batch, submitted, atRest } = arraysWith({ exitOf });
    const jobId = await submitted();
    expect((await atRest(jobId))?.status).toBe('SUCCEEDED');
    expect(batch.children(jobId).map(({ attempts }) => attempts.length)).toEqual([1, 3, 1]);
  });

  it('limits the time of each task by itself', async () => {
    const exitOf = ({ index }: Task) => (index === 1 ? undefined : 0);
    const { submitted, atRest } = arraysWith({ exitOf });
    expect(await atRest(await submitted({ timeoutSeconds: 120 }))).toMatchObject({
      status: 'FAILED',
      array: {
        counts: { SUCCEEDED: 2, FAILED: 1 },
        failures: [{ index: 1, statusReason: expect.stringContaining('exceeded timeout') }],
      },
    });
  });

  it.each([0, 2 * MINUTE])('loses one task to an interruption after %i ms', async (noticeMs) => {
    const exitOf = ({ index, attempt }: Task) => (index === 2 && attempt === 1 ? undefined : 0);
    const { batch, starts, submitted, reached, atRest } = arraysWith({ exitOf });
    const jobId = await submitted();
    await reached(() => batch.children(jobId)[2]?.status === 'RUNNING');
    expect(batch.interrupt(`${jobId}:2`, noticeMs)).toBe(true);
    expect((await atRest(jobId))?.status).toBe('SUCCEEDED');
    expect(starts.filter(({ task }) => task.interrupted).map(({ task }) => task.index)).toEqual(
      noticeMs === 0 ? [2] : [],
    );
    expect(batch.children(jobId).map(({ attempts }) => attempts.length)).toEqual([1, 1, 2]);
  });

  it('has no host itself that could be interrupted', async () => {
    const { batch, submitted, reached, running } = arraysWith({ exitOf: () => undefined });
    const jobId = await submitted();
    await reached(running(jobId));
    expect(batch.interrupt(jobId, 0)).toBe(false);
  });

  it.each([
    ['before they are there', () => true],
    ['while they run', undefined],
  ])('ends with all its tasks when somebody terminates it %s', async (_when, isThere) => {
    const { batch, submitted, reached, running, atRest } = arraysWith({ exitOf: () => undefined });
    const jobId = await submitted();
    await reached(isThere ?? running(jobId));
    batch.terminate(jobId, 'enough');
    expect(await atRest(jobId)).toMatchObject({
      status: 'FAILED',
      statusReason: 'enough',
      array: { counts: { FAILED: 3 } },
    });
  });

  it('stands alone among all jobs: its tasks are asked for by their array', async () => {
    const { batch, submitted, atRest } = arraysWith();
    const jobId = await submitted();
    await atRest(jobId);
    expect([batch.all().map((each) => each.jobId), batch.children('none')]).toEqual([[jobId], []]);
  });
});

describe('the storage of an array', () => {
  it('is mounted by every host', async () => {
    const { mounted, submitted, atRest } = arraysWith();
    await atRest(await submitted());
    expect(mounted).toEqual(Array(3).fill('fs-0123456789abcdef0'));
  });

  it('keeps every task out where it cannot be mounted, and says why', async () => {
    const { submitted, atRest } = arraysWith({ unmountable: 'the file system is DELETING' });
    const seen = await atRest(await submitted({ attempts: 1 }));
    expect(seen?.array?.failures[0]).toMatchObject({
      statusReason: expect.stringContaining(
        'CannotStartContainerError: the file system is DELETING',
      ),
    });
  });

  it('has one marker, in which no task’s start is lost', async () => {
    const { submitted, marker, atRest } = arraysWith();
    const jobId = await submitted({ arraySize: 20 });
    await atRest(jobId);
    const attempts = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`a:${index}`, 1]),
    );
    expect(marker()).toEqual({
      runId: 'r1',
      claims: { 'a/1': jobId },
      attempts,
      newest: { a: 1 },
      open: [],
    });
  });

  it('keeps out the tasks of a second array of one submission', async () => {
    const { starts, submitted, pass, atRest } = arraysWith();
    const first = await submitted();
    await pass(DAY);
    const twin = await submitted({ attempts: 1 }, { jobName: 'ebbtide-r1_a_001' });
    expect(await atRest(twin)).toMatchObject({ array: { counts: { FAILED: 3 } } });
    expect(starts.filter(({ task }) => !task.jobId.startsWith(first))).toEqual([]);
  });
});

describe('tasks that run one after the other', () => {
  it('never run beside each other', async () => {
    const { starts, submitted, atRest } = arraysWith();
    expect((await atRest(await submitted({ sequential: true })))?.status).toBe('SUCCEEDED');
    expect([mostAtOnce(starts), starts.map(({ task }) => task.index)]).toEqual([1, [0, 1, 2]]);
  });

  it('do not go on behind one that failed', async () => {
    const exitOf = ({ index }: Task) => (index === 1 ? 1 : 0);
    const { submitted, atRest } = arraysWith({ exitOf });
    const seen = await atRest(await submitted({ sequential: true, arraySize: 4 }));
    expect(seen?.array).toMatchObject({
      counts: { SUCCEEDED: 1, FAILED: 3 },
      failures: [
        { index: 1, exitCode: 1 },
        { index: 2, statusReason: 'Dependent Job failed' },
        { index: 3, statusReason: 'Dependent Job failed' },
      ],
    });
  });

  it('may be many, of which the first fails', async () => {
    const { submitted, atRest } = arraysWith({ exitOf: () => 1 });
    const seen = await atRest(await submitted({ sequential: true, arraySize: 3000 }));
    expect([seen?.status, seen?.array?.counts.FAILED]).toEqual(['FAILED', 3000]);
  });
});

describe('tasks that wait for those of another array', () => {
  it('begin when their own partner has succeeded, whatever the others do', async () => {
    const exitOf = ({ index, wanted }: Task) =>
      wanted.spec.name === 'a' && index === 2 ? undefined : 0;
    const { batch, submitted, pass, statuses } = arraysWith({ exitOf });
    const first = await submitted();
    const second = await submitted({ name: 'b' }, { nToN: [first] });
    await pass(DAY);
    expect(statuses(second)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'PENDING']);
    expect(batch.all().map(({ status }) => status)).toEqual(['PENDING', 'PENDING']);
  });

  it('begin after their partner', async () => {
    const { starts, submitted, atRest } = arraysWith();
    const first = await submitted();
    await atRest(await submitted({ name: 'b' }, { nToN: [first] }));
    const of = (name: string) => (index: number) =>
      starts.find(({ task }) => task.wanted.spec.name === name && task.index === index);
    const early = [0, 1, 2].filter(
      (index) => (of('b')(index)?.at ?? 0) < (of('a')(index)?.endedAt ?? 0),
    );
    expect(early).toEqual([]);
  });

  it.each([
    ['while they wait', false],
    ['before they are submitted', true],
  ])('fail with their partner: %s', async (_when, isOver) => {
    const exitOf = ({ index }: Task) => (index === 1 ? 1 : 0);
    const { submitted, pass, atRest } = arraysWith({ exitOf });
    const first = await submitted();
    if (isOver) await pass(DAY);
    const second = await submitted({ name: 'b' }, { nToN: [first] });
    expect(await atRest(second)).toMatchObject({
      status: 'FAILED',
      array: {
        counts: { SUCCEEDED: 2, FAILED: 1 },
        failures: [{ index: 1, statusReason: 'Dependent Job failed' }],
      },
    });
  });

  it.each([
    ['a job that there is not', () => ['job-9']],
    ['an array of another size', (first: string) => [first]],
  ])('cannot be submitted behind %s', async (_what, nToN) => {
    const { submitted } = arraysWith();
    const first = await submitted();
    await expect(submitted({ name: 'b', arraySize: 4 }, { nToN: nToN(first) })).rejects.toThrow(
      'is not an array of 4 jobs',
    );
  });
});

describe('the room of a compute environment', () => {
  it('is never exceeded', async () => {
    const { starts, submitted, atRest } = arraysWith({ maxVcpus: 5 });
    const seen = await atRest(await submitted({ arraySize: 6, vcpus: 2 }));
    expect([seen?.status, mostAtOnce(starts)]).toEqual(['SUCCEEDED', 2]);
  });

  it('is given in order: nobody overtakes a large job at the head', async () => {
    const { starts, submitted, pass } = arraysWith({ maxVcpus: 4 });
    await submitted({ name: 'a', arraySize: undefined, vcpus: 3 });
    await pass(2000);
    await submitted({ name: 'b', arraySize: undefined, vcpus: 4 });
    await pass(2000);
    await submitted({ name: 'c', arraySize: undefined, vcpus: 1 });
    await pass(DAY);
    expect(starts.map(({ task }) => task.wanted.spec.name)).toEqual(['a', 'b', 'c']);
  });

  it('goes first to a job that is tried again', async () => {
    const exitOf = ({ index, batchAttempt }: Task) => (index === 0 && batchAttempt === 1 ? 143 : 0);
    const { starts, submitted, atRest } = arraysWith({ exitOf, maxVcpus: 1 });
    await atRest(await submitted());
    expect(starts.map(({ task }) => task.index)).toEqual([0, 0, 1, 2]);
  });

  it('is given free by a job that is terminated while it waits for a host', async () => {
    const { batch, submitted, pass, atRest } = arraysWith({ maxVcpus: 1 });
    const first = await submitted({ name: 'a', arraySize: undefined });
    await pass(5000);
    const second = await submitted({ name: 'b', arraySize: undefined });
    await pass(5000);
    batch.terminate(first, 'enough');
    expect((await atRest(second))?.status).toBe('SUCCEEDED');
  });
});

describe('the events of an array', () => {
  const [pattern] = BatchJobMovedEvent.patterns;
  const detailOf = ({ detail }: Envelope) =>
    detail as { jobId: string; status: string; arrayProperties: object };

  async function told() {
    const { said, submitted, atRest } = arraysWith();
    const jobId = await submitted();
    await atRest(jobId);
    return { said, jobId };
  }

  it('of its tasks do not pass our pattern, its own do', async () => {
    const { said, jobId } = await told();
    const passed = said.filter(compilePattern(pattern)).map(detailOf);
    expect(passed.map((each) => [each.jobId, each.status])).toEqual([
      [jobId, 'PENDING'],
      [jobId, 'SUCCEEDED'],
    ]);
  });

  it('say which task it is', async () => {
    const { said, jobId } = await told();
    const task = said.map(detailOf).find((each) => each.jobId === `${jobId}:2`);
    expect(task?.arrayProperties).toEqual({ index: 2 });
  });

  it('say where the tasks of the array are', async () => {
    const { said } = await told();
    const { arrayProperties } = detailOf(said.at(-1) as Envelope);
    expect(arrayProperties).toMatchObject({
      size: 3,
      statusSummary: { SUCCEEDED: 3, RUNNING: 0, FAILED: 0 },
    });
  });
});
