import { batchJobName } from '../../events';
import type { Jobs, SeenJob, WantedJob } from '../../handlers';
import { job } from './builders';

/** A Batch without jobs, with storage that they can use. */
export interface JobsWorld {
  readonly jobs: Jobs;
  /** Storage of a run, ready to be attached. */
  storageOf(runId: string): Promise<string>;
  /** Storage of a run that many hosts can mount at once. */
  sharedStorageOf(runId: string): Promise<string>;
  /** Lets time pass, or waits for it. */
  advance(ms: number): Promise<void>;
}

const PAUSE_MS = 10_000;
const PAUSES_MAX = 60;
const reason = 'Ebbtide: enough';

/** What must be true of a run's jobs, whoever runs them. Jobs here work for longer than a test lasts. */
export function jobsContract(name: string, makeWorld: () => Promise<JobsWorld> | JobsWorld): void {
  async function wantedOf(world: JobsWorld, runId = 'r1', submission = 1): Promise<WantedJob> {
    return {
      jobName: batchJobName(runId, 'main', submission),
      runId,
      zone: 'us-east-1a',
      storage: await world.storageOf(runId),
      results: { bucket: 'results', prefix: `runs/${runId}/` },
      submission,
      spec: job({ command: ['sleep', '3600'], vcpus: 1, memoryMib: 512 }),
      nToN: [],
      hasInput: false,
    };
  }
  async function submittedArray(world: JobsWorld, changes: Partial<WantedJob> = {}) {
    const wanted = await wantedOf(world);
    const spec = { ...wanted.spec, arraySize: 3 };
    const storage = await world.sharedStorageOf('r1');
    const answer = await world.jobs.submit({ ...wanted, spec, storage, ...changes });
    if (answer.ok !== true) throw new Error(`an array was refused: ${answer.reason}`);
    return answer.jobId;
  }
  async function submitted(world: JobsWorld, runId = 'r1', submission = 1): Promise<string> {
    const answer = await world.jobs.submit(await wantedOf(world, runId, submission));
    if (answer.ok !== true) throw new Error(`a job was refused: ${answer.reason}`);
    return answer.jobId;
  }
  const seenOf = async ({ jobs }: JobsWorld, jobId: string) => (await jobs.describe([jobId]))[0];
  async function reached(world: JobsWorld, jobId: string, status: SeenJob['status']) {
    for (let pauses = 0; pauses < PAUSES_MAX; pauses += 1) {
      const seen = await seenOf(world, jobId);
      if (seen?.status === status) return seen;
      await world.advance(PAUSE_MS);
    }
    throw new Error(`job ${jobId} did not become ${status}`);
  }
  const found = ({ jobs }: JobsWorld, jobName: string) =>
    jobs.find({ zone: 'us-east-1a', jobName });

  describe(`${name} submits a job`, () => {
    it('once per name: who asks again adopts the one there is', async () => {
      const world = await makeWorld();
      const first = await submitted(world);
      expect(await submitted(world)).toBe(first);
    });

    it('once per name, even when it is over', async () => {
      const world = await makeWorld();
      const first = await submitted(world);
      await world.jobs.stop({ runId: 'r1', zone: 'us-east-1a', reason });
      await reached(world, first, 'FAILED');
      expect(await submitted(world)).toBe(first);
    });

    it('anew under another name', async () => {
      const world = await makeWorld();
      const first = await submitted(world);
      expect(await submitted(world, 'r1', 2)).not.toBe(first);
    });

    it('that runs after a while', async () => {
      const world = await makeWorld();
      const jobId = await submitted(world);
      expect(await reached(world, jobId, 'RUNNING')).toMatchObject({ attempts: [] });
    });
  });

  describe(`${name} finds a job`, () => {
    it('by its name', async () => {
      const world = await makeWorld();
      const jobId = await submitted(world);
      expect(await found(world, 'ebbtide-r1_main_1')).toBe(jobId);
    });

    it('by its whole name only', async () => {
      const world = await makeWorld();
      await submitted(world, 'r1', 10);
      expect(await found(world, 'ebbtide-r1_main_1')).toBe(undefined);
    });

    it('without submitting one', async () => {
      const world = await makeWorld();
      await found(world, 'ebbtide-r1_main_1');
      expect(await found(world, 'ebbtide-r1_main_1')).toBe(undefined);
    });
  });

  describe(`${name} describes jobs`, () => {
    it('with what handlers want to know', async () => {
      const world = await makeWorld();
      const jobId = await submitted(world);
      expect(await seenOf(world, jobId)).toMatchObject({
        jobId,
        jobName: 'ebbtide-r1_main_1',
        status: expect.stringMatching(/^(SUBMITTED|PENDING|RUNNABLE|STARTING|RUNNING)$/),
        attempts: [],
      });
    });

    it('and leaves out what it does not know, without spoiling the others', async () => {
      const world = await makeWorld();
      const [a, b] = [await submitted(world), await submitted(world, 'r2')];
      const stranger = '00000000-0000-4000-8000-000000000000';
      const seen = await world.jobs.describe([a, stranger, b]);
      expect(seen.map(({ jobId }) => jobId).sort()).toEqual([a, b].sort());
    });

    it('none where none is asked for', async () => {
      const world = await makeWorld();
      await submitted(world);
      expect(await world.jobs.describe([])).toEqual([]);
    });
  });

  describe(`${name} stops a run's jobs`, () => {
    const stop = ({ jobs }: JobsWorld) => jobs.stop({ runId: 'r1', zone: 'us-east-1a', reason });

    it('and says which', async () => {
      const world = await makeWorld();
      const jobId = await submitted(world);
      expect(await stop(world)).toEqual([jobId]);
    });

    it('that wait', async () => {
      const world = await makeWorld();
      const jobId = await submitted(world);
      await stop(world);
      expect(await reached(world, jobId, 'FAILED')).toMatchObject({ statusReason: reason });
    });

    it('that run', async () => {
      const world = await makeWorld();
      const jobId = await submitted(world);
      await reached(world, jobId, 'RUNNING');
      await stop(world);
      expect(await reached(world, jobId, 'FAILED')).toMatchObject({ statusReason: reason });
    });

    it('for good: they are not tried again', async () => {
      const world = await makeWorld();
      const jobId = await submitted(world);
      await reached(world, jobId, 'RUNNING');
      await stop(world);
      await reached(world, jobId, 'FAILED');
      await world.advance(300_000);
      expect((await seenOf(world, jobId))?.status).toBe('FAILED');
    });

    it('and no other run’s', async () => {
      const world = await makeWorld();
      await submitted(world);
      const other = await submitted(world, 'r2');
      await stop(world);
      await world.advance(60_000);
      expect((await seenOf(world, other))?.status).not.toBe('FAILED');
    });

    it('and is safe to repeat: what was stopped is not stopped again', async () => {
      const world = await makeWorld();
      await submitted(world);
      await stop(world);
      expect(await stop(world)).toEqual([]);
    });

    it('none where there are none', async () => {
      expect(await stop(await makeWorld())).toEqual([]);
    });
  });

  describe(`${name} runs an array`, () => {
    const stop = ({ jobs }: JobsWorld) => jobs.stop({ runId: 'r1', zone: 'us-east-1a', reason });

    it('as one job, found by its name and adopted', async () => {
      const world = await makeWorld();
      const jobId = await submittedArray(world);
      expect([await found(world, 'ebbtide-r1_main_1'), await submittedArray(world)]).toEqual([
        jobId,
        jobId,
      ]);
    });

    it('whose parent waits while its tasks run, and says where they are', async () => {
      const world = await makeWorld();
      const jobId = await submittedArray(world);
      for (let pauses = 0; pauses < PAUSES_MAX; pauses += 1) {
        if ((await seenOf(world, jobId))?.array?.counts.RUNNING === 3) break;
        await world.advance(PAUSE_MS);
      }
      expect(await seenOf(world, jobId)).toMatchObject({
        status: 'PENDING',
        attempts: [],
        array: { size: 3, counts: { RUNNING: 3 }, failures: [] },
      });
    });

    it('and stops all its tasks with it', async () => {
      const world = await makeWorld();
      const jobId = await submittedArray(world);
      await reached(world, jobId, 'PENDING');
      const stopped = await stop(world);
      const seen = await reached(world, jobId, 'FAILED');
      expect([stopped, seen.array?.counts.FAILED]).toEqual([[jobId], 3]);
    });

    it('and says of its first failed tasks which they are and why', async () => {
      const world = await makeWorld();
      const jobId = await submittedArray(world);
      await reached(world, jobId, 'PENDING');
      await stop(world);
      const { array } = await reached(world, jobId, 'FAILED');
      const failures = array?.failures ?? [];
      expect(failures.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
      expect(failures.filter(({ statusReason }) => !statusReason?.includes(reason))).toEqual([]);
    });

    it('whose tasks wait for another array’s, and end with it', async () => {
      const world = await makeWorld();
      const first = await submittedArray(world);
      const second = await submittedArray(world, {
        jobName: batchJobName('r1', 'b', 1),
        nToN: [first],
      });
      await reached(world, first, 'PENDING');
      await world.advance(300_000);
      expect((await seenOf(world, second))?.array?.counts).not.toMatchObject({ RUNNING: 3 });
      await stop(world);
      await reached(world, second, 'FAILED');
    });
  });
}
