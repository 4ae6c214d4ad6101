import type { Link } from '../../events';
import type { FileSystems, WantedFileSystem } from '../../handlers';
import { EVER, hourAfter } from './builders';

/** An FSx with no file systems in it, and what is not the port's to do. */
export interface FileSystemsWorld {
  readonly fileSystems: FileSystems;
  /** Lets time pass, or waits for it. */
  advance(ms: number): Promise<void>;
  /** Leaves a file on a file system. */
  write(fileSystemId: string, path: string, body: string): Promise<void>;
  remove(fileSystemId: string, path: string): Promise<void>;
  /** The keys there are in S3 below a place. */
  keys(repositoryPath: string): Promise<readonly string[]>;
  /** Leaves an object in S3. */
  put(repositoryPath: string, name: string, body: string): Promise<void>;
}

const STRANGER = 'fs-0fffffffffffffff0';
const MINUTE = 60_000;
/** FSx needs minutes for each step; what takes longer than this is a defect. */
const STEPS_MAX = 120;
const RESULTS = 's3://results/runs/r1/';

/** What must be true of a run's file systems, whoever keeps them. */
export function fileSystemsContract(
  name: string,
  makeWorld: () => Promise<FileSystemsWorld> | FileSystemsWorld,
): void {
  const wanted = (overrides: Partial<WantedFileSystem> = {}): WantedFileSystem => ({
    clientToken: 'r1.storage.1',
    runId: 'r1',
    mode: 'taskExport',
    zone: 'us-east-1a',
    sizeGib: 1200,
    version: '2.15',
    ...overrides,
  });
  const scratch = (overrides: Partial<Link> = {}): Link => ({
    path: '/scratch',
    repositoryPath: RESULTS,
    direction: 'both',
    imports: false,
    autoExports: false,
    ...overrides,
  });
  async function made(
    { fileSystems }: FileSystemsWorld,
    overrides: Partial<WantedFileSystem> = {},
  ) {
    const created = await fileSystems.create(wanted(overrides));
    if (!created.ok) throw new Error(`a file system was refused: ${created.reason}`);
    return created.fileSystemId;
  }
  async function linked(world: FileSystemsWorld, fileSystemId: string, link = scratch()) {
    const clientToken = `${fileSystemId}.link${link.path.replace('/', '-')}`;
    const to = { runId: 'r1', fileSystemId, link, chunkSizeMib: 1024 };
    const answer = await world.fileSystems.link({ clientToken, ...to });
    if (!answer.ok) throw new Error(`an association was refused: ${answer.reason}`);
    return answer.associationId;
  }
  const seen = async ({ fileSystems }: FileSystemsWorld, id: string) =>
    (await fileSystems.inspect([id]))[0];
  /** Waits, a step at a time, until it is so. */
  async function until(world: FileSystemsWorld, isSo: () => Promise<boolean>, ms = 15_000) {
    for (let steps = 0; steps < STEPS_MAX; steps += 1) {
      if (await isSo()) return;
      await world.advance(ms);
    }
    throw new Error(`not so after ${STEPS_MAX} steps`);
  }
  async function available(world: FileSystemsWorld, overrides: Partial<WantedFileSystem> = {}) {
    const id = await made(world, overrides);
    await until(world, async () => (await seen(world, id))?.lifecycle === 'AVAILABLE');
    return id;
  }
  /** A file system that is tied to S3. */
  async function tied(world: FileSystemsWorld, link = scratch()) {
    const id = await made(world);
    const associationId = await linked(world, id, link);
    await until(world, async () => {
      const associations = (await seen(world, id))?.associations ?? [];
      return associations.some(({ lifecycle }) => lifecycle === 'AVAILABLE');
    });
    return { id, associationId };
  }
  const exported = (world: FileSystemsWorld, fileSystemId: string, clientToken = 'r1.export.1') =>
    world.fileSystems.startExport({
      ...{ clientToken, fileSystemId, runId: 'r1', path: '/scratch' },
      reportPath: `${RESULTS}_ebbtide/reports`,
    });
  const taskOf = async (world: FileSystemsWorld, id: string) => (await seen(world, id))?.tasks[0];
  async function over(world: FileSystemsWorld, id: string) {
    const isOver = (lifecycle = '') => ['SUCCEEDED', 'FAILED', 'CANCELED'].includes(lifecycle);
    await until(world, async () => isOver((await taskOf(world, id))?.lifecycle));
    return taskOf(world, id);
  }
  /** Releases step by step; says which steps there were. */
  async function release({ fileSystems, advance }: FileSystemsWorld, fileSystemId?: string) {
    const steps = new Set<string>();
    for (let count = 0; count < STEPS_MAX; count += 1) {
      const released = await fileSystems.release({ since: EVER, runId: 'r1', fileSystemId });
      if (released.kind === 'gone') return [...steps, 'gone'];
      steps.add(released.step);
      await advance(15_000);
    }
    throw new Error(`r1 has file systems after ${STEPS_MAX} steps`);
  }

  describe(`${name} creates a file system`, () => {
    it('and says under which name it is mounted', async () => {
      const { fileSystems } = await makeWorld();
      expect(await fileSystems.create(wanted())).toEqual({
        ok: true,
        fileSystemId: expect.stringMatching(/^fs-[0-9a-f]{8,17}$/),
        mountName: expect.stringMatching(/^[A-Za-z0-9_-]{1,8}$/),
      });
    });

    it('once per client token, and gives the same again', async () => {
      const { fileSystems } = await makeWorld();
      const first = await fileSystems.create(wanted());
      expect(await fileSystems.create(wanted())).toEqual(first);
    });

    it('anew under another client token', async () => {
      const world = await makeWorld();
      const first = await made(world);
      expect(await made(world, { clientToken: 'r1.storage.2' })).not.toBe(first);
    });

    it('but nothing else under the same client token', async () => {
      const world = await makeWorld();
      await made(world);
      const other = await world.fileSystems.create(wanted({ sizeGib: 2400 }));
      expect(other).toMatchObject({ ok: false, noRoom: false });
    });

    it('of a legal size only, and says which', async () => {
      const { fileSystems } = await makeWorld();
      const refused = await fileSystems.create(wanted({ sizeGib: 1300 }));
      expect(refused).toMatchObject({
        ok: false,
        noRoom: false,
        reason: expect.stringContaining('1200'),
      });
    });

    it('that becomes available after some minutes', async () => {
      const world = await makeWorld();
      const id = await made(world);
      const before = (await world.fileSystems.describe([id]))[0]?.lifecycle;
      await world.advance(15 * MINUTE);
      const [after] = await world.fileSystems.describe([id]);
      expect([before, after]).toEqual([
        'CREATING',
        { fileSystemId: id, lifecycle: 'AVAILABLE', noRoom: false },
      ]);
    });
  });

  describe(`${name} describes file systems`, () => {
    it('and leaves out what it does not know, without spoiling the others', async () => {
      const world = await makeWorld();
      const [a, b] = [await made(world), await made(world, { clientToken: 'b' })];
      const there = await world.fileSystems.describe([a, STRANGER, b]);
      expect(there.map(({ fileSystemId }) => fileSystemId).sort()).toEqual([a, b].sort());
    });

    it('none where none is asked for', async () => {
      const world = await makeWorld();
      await made(world);
      expect([await world.fileSystems.describe([]), await world.fileSystems.inspect([])]).toEqual([
        [],
        [],
      ]);
    });

    it('with everything that is tied to them and done on them', async () => {
      const world = await makeWorld();
      const { id, associationId } = await tied(world);
      const started = await exported(world, id);
      expect(await world.fileSystems.inspect([id, STRANGER])).toEqual([
        {
          ...{ fileSystemId: id, lifecycle: 'AVAILABLE', noRoom: false },
          associations: [
            { associationId, path: '/scratch', lifecycle: 'AVAILABLE', autoExports: false },
          ],
          tasks: [
            {
              taskId: started.ok ? started.taskId : '',
              type: 'EXPORT_TO_REPOSITORY',
              lifecycle: 'PENDING',
            },
          ],
        },
      ]);
    });

    it('each with its own associations', async () => {
      const world = await makeWorld();
      const [a, b] = [await made(world), await made(world, { clientToken: 'b' })];
      await linked(world, a);
      const inspected = await world.fileSystems.inspect([a, b]);
      expect(inspected.map(({ associations }) => associations.length)).toEqual([1, 0]);
    });
  });

  describe(`${name} ties a file system to S3`, () => {
    it('while it is being created, and makes the association afterwards', async () => {
      const world = await makeWorld();
      const { id } = await tied(world);
      expect((await seen(world, id))?.lifecycle).toBe('AVAILABLE');
    });

    it('once per client token, and gives the same again', async () => {
      const world = await makeWorld();
      const id = await made(world);
      expect(await linked(world, id)).toBe(await linked(world, id));
    });

    it('and refuses a path within one that is tied already', async () => {
      const world = await makeWorld();
      const id = await made(world);
      await linked(world, id);
      const input = scratch({ path: '/input', repositoryPath: `${RESULTS}input/` });
      const to = { runId: 'r1', fileSystemId: id, link: input, chunkSizeMib: 1024 };
      expect(await world.fileSystems.link({ clientToken: 'r1.link-input.1', ...to })).toEqual({
        ok: false,
        reason: expect.stringContaining('overlap'),
      });
    });

    it('and refuses to where there is no file system', async () => {
      const { fileSystems } = await makeWorld();
      const to = { runId: 'r1', fileSystemId: STRANGER, link: scratch(), chunkSizeMib: 1024 };
      expect((await fileSystems.link({ clientToken: 't', ...to })).ok).toBe(false);
    });

    it('and imports what lies there, as a task that is to be seen', async () => {
      const world = await makeWorld();
      await world.put(RESULTS, 'before.txt', 'x');
      const { id } = await tied(world, scratch({ imports: true }));
      await until(world, async () => (await taskOf(world, id)) !== undefined);
      expect(await over(world, id)).toMatchObject({
        type: 'IMPORT_METADATA_FROM_REPOSITORY',
        lifecycle: 'SUCCEEDED',
        counts: { total: 1, succeeded: 1, failed: 0 },
      });
    });
  });

  describe(`${name} exports`, () => {
    it('what is on the path, and counts it', async () => {
      const world = await makeWorld();
      const { id } = await tied(world);
      await world.write(id, '/scratch/a/b.txt', 'b');
      await exported(world, id);
      const task = await over(world, id);
      expect([task?.lifecycle, task?.counts, await world.keys(RESULTS)]).toEqual([
        'SUCCEEDED',
        { total: 1, succeeded: 1, failed: 0 },
        ['a/b.txt'],
      ]);
    });

    it('once per client token, and gives the same task again', async () => {
      const world = await makeWorld();
      const { id } = await tied(world);
      expect(await exported(world, id)).toEqual(await exported(world, id));
    });

    it('with one task at a time', async () => {
      const world = await makeWorld();
      const { id } = await tied(world);
      await exported(world, id);
      expect(await exported(world, id, 'r1.export.2')).toMatchObject({ ok: false, isBusy: true });
    });

    it('with another task when the first one is over', async () => {
      const world = await makeWorld();
      const { id } = await tied(world);
      await exported(world, id);
      await over(world, id);
      expect((await exported(world, id, 'r1.export.2')).ok).toBe(true);
    });

    it('by no task while auto-export is on', async () => {
      const world = await makeWorld();
      const { id } = await tied(world, scratch({ autoExports: true }));
      expect(await exported(world, id)).toMatchObject({ ok: false, isBusy: false });
    });

    it('all along, where that was asked for', async () => {
      const world = await makeWorld();
      const { id } = await tied(world, scratch({ autoExports: true }));
      await world.write(id, '/scratch/a.txt', 'a');
      await until(world, async () => (await world.keys(RESULTS)).includes('a.txt'));
      expect((await seen(world, id))?.tasks).toEqual([]);
    });
  });

  describe(`${name} mirrors deletions`, () => {
    const mirror = scratch({ autoExports: true });

    it('of what it exported all along', async () => {
      const world = await makeWorld();
      const { id } = await tied(world, mirror);
      for (const path of ['/scratch/a.txt', '/scratch/b.txt']) await world.write(id, path, 'x');
      await until(world, async () => (await world.keys(RESULTS)).length === 2);
      await world.remove(id, '/scratch/a.txt');
      await until(world, async () => (await world.keys(RESULTS)).length === 1);
      expect(await world.keys(RESULTS)).toEqual(['b.txt']);
    });

    it('but none by a task', async () => {
      const world = await makeWorld();
      const { id } = await tied(world);
      await world.write(id, '/scratch/a.txt', 'x');
      await exported(world, id);
      await over(world, id);
      await world.remove(id, '/scratch/a.txt');
      await exported(world, id, 'r1.export.2');
      await until(world, async () => {
        const tasks = (await seen(world, id))?.tasks ?? [];
        return tasks.length === 2 && tasks.every(({ lifecycle }) => lifecycle === 'SUCCEEDED');
      });
      expect(await world.keys(RESULTS)).toEqual(['a.txt']);
    });

    it('but none of its own end', async () => {
      const world = await makeWorld();
      const { id } = await tied(world, mirror);
      await world.write(id, '/scratch/a.txt', 'x');
      await until(world, async () => (await world.keys(RESULTS)).length === 1);
      await release(world, id);
      await world.advance(15 * MINUTE);
      expect(await world.keys(RESULTS)).toEqual(['a.txt']);
    });
  });

  describe(`${name} switches auto-export off`, () => {
    it('step by step, and lets a task in then', async () => {
      const world = await makeWorld();
      const { id: fileSystemId, associationId } = await tied(world, scratch({ autoExports: true }));
      const off = () => world.fileSystems.switchOffAutoExport({ fileSystemId, associationId });
      const first = await off();
      await until(world, async () => (await off()).kind === 'off');
      const now = (await seen(world, fileSystemId))?.associations[0];
      const started = await exported(world, fileSystemId);
      expect([first.kind, now?.autoExports, started.ok]).toEqual(['updating', false, true]);
    });

    it('and says so where it is off', async () => {
      const world = await makeWorld();
      const { id: fileSystemId, associationId } = await tied(world);
      expect(await world.fileSystems.switchOffAutoExport({ fileSystemId, associationId })).toEqual({
        kind: 'off',
      });
    });

    it('and refuses where there is no such association', async () => {
      const { fileSystems } = await makeWorld();
      const wrong = { fileSystemId: STRANGER, associationId: 'dra-0fffffffffffffff0' };
      expect((await fileSystems.switchOffAutoExport(wrong)).kind).toBe('refused');
    });
  });

  describe(`${name} releases a run’s file systems`, () => {
    it('that were never made at once', async () => {
      expect(await release(await makeWorld())).toEqual(['gone']);
    });

    it('by deleting them, so that nothing is to be seen', async () => {
      const world = await makeWorld();
      const id = await available(world);
      const steps = await release(world, id);
      expect([steps, await world.fileSystems.describe([id])]).toEqual([['deleting', 'gone'], []]);
    });

    it('all of them, whether their ids are known or not', async () => {
      const world = await makeWorld();
      const [a, b] = [await available(world), await available(world, { clientToken: 'b' })];
      await release(world);
      expect(await world.fileSystems.describe([a, b])).toEqual([]);
    });

    it('and no other run’s', async () => {
      const world = await makeWorld();
      const other = await available(world, { runId: 'r2', clientToken: 'r2.storage.1' });
      await available(world);
      await release(world);
      expect((await seen(world, other))?.lifecycle).toBe('AVAILABLE');
    });

    it('even one that is only just being made', async () => {
      const world = await makeWorld();
      await made(world);
      expect((await release(world)).at(-1)).toBe('gone');
    });

    it('with a task on them, which is ended first', async () => {
      const world = await makeWorld();
      const { id } = await tied(world);
      await exported(world, id);
      expect(await release(world, id)).toEqual(['waiting', 'deleting', 'gone']);
    });

    it('and is safe to repeat at every step', async () => {
      const world = await makeWorld();
      const { id } = await tied(world);
      await exported(world, id);
      const kinds = [];
      for (let count = 0; count < 3; count += 1) {
        kinds.push((await world.fileSystems.release({ since: EVER, runId: 'r1' })).kind);
      }
      expect([kinds, (await release(world)).at(-1)]).toEqual([['going', 'going', 'going'], 'gone']);
    });

    it('but none that was made before the run', async () => {
      const world = await makeWorld();
      const id = await available(world);
      const [own] = await world.fileSystems.list();
      const since = hourAfter(own?.createdAt ?? '');
      const released = await world.fileSystems.release({ since, runId: 'r1' });
      expect([released.kind, (await seen(world, id))?.lifecycle]).toEqual(['gone', 'AVAILABLE']);
    });

    it('but never one that its owner keeps', async () => {
      const world = await makeWorld();
      const id = await available(world);
      await world.fileSystems.keep(id);
      const steps = await release(world, id);
      expect([steps, (await seen(world, id))?.lifecycle]).toEqual([['gone'], 'AVAILABLE']);
    });
  });

  describe(`${name} keeps a file system`, () => {
    it('and is safe to repeat', async () => {
      const world = await makeWorld();
      const id = await available(world);
      const { fileSystems } = world;
      expect([await fileSystems.keep(id), await fileSystems.keep(id)]).toEqual([true, true]);
    });

    it('which exports nothing any more by itself', async () => {
      const world = await makeWorld();
      const id = await available(world);
      await linked(world, id, scratch({ autoExports: true }));
      await world.advance(20 * MINUTE);
      await world.fileSystems.keep(id);
      await world.advance(10 * MINUTE);
      const [shown] = await world.fileSystems.inspect([id]);
      expect(shown?.associations.map(({ autoExports }) => autoExports)).toEqual([false]);
    });

    it('only where there is one', async () => {
      expect(await (await makeWorld()).fileSystems.keep(STRANGER)).toBe(false);
    });

    it('only while there is one', async () => {
      const world = await makeWorld();
      const id = await available(world);
      await release(world);
      expect(await world.fileSystems.keep(id)).toBe(false);
    });
  });

  describe(`${name} discards`, () => {
    it('a file system by its id', async () => {
      const world = await makeWorld();
      const id = await available(world);
      const other = await available(world, { clientToken: 'b' });
      const isGoing = await world.fileSystems.discard(id);
      await world.advance(15 * MINUTE);
      const left = await world.fileSystems.describe([id, other]);
      expect([isGoing, left.map(({ fileSystemId }) => fileSystemId)]).toEqual([true, [other]]);
    });

    it('nothing where there is none', async () => {
      expect(await (await makeWorld()).fileSystems.discard(STRANGER)).toBe(false);
    });

    it('nothing that is kept', async () => {
      const world = await makeWorld();
      const id = await available(world);
      await world.fileSystems.keep(id);
      const isGoing = await world.fileSystems.discard(id);
      expect([isGoing, (await seen(world, id))?.lifecycle]).toEqual([false, 'AVAILABLE']);
    });

    it('nothing on which a task runs', async () => {
      const world = await makeWorld();
      const { id } = await tied(world);
      await exported(world, id);
      const isGoing = await world.fileSystems.discard(id);
      expect([isGoing, (await seen(world, id))?.lifecycle]).toEqual([false, 'AVAILABLE']);
    });
  });

  describe(`${name} lists`, () => {
    it('nothing where there is nothing', async () => {
      expect(await (await makeWorld()).fileSystems.list()).toEqual([]);
    });

    it('every file system of ours, with run, size, price and age', async () => {
      const world = await makeWorld();
      const id = await available(world, { sizeGib: 2400 });
      expect(await world.fileSystems.list()).toEqual([
        {
          ...{ storageId: id, kind: 'fileSystem', runId: 'r1', sizeGib: 2400 },
          createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
          pricePerHour: expect.closeTo(0.46, 2),
          isInUse: false,
          isKept: false,
        },
      ]);
    });

    it('whether a task runs on it, and whether it is kept', async () => {
      const world = await makeWorld();
      const { id } = await tied(world);
      await exported(world, id);
      await world.fileSystems.keep(id);
      expect(await world.fileSystems.list()).toMatchObject([{ isInUse: true, isKept: true }]);
    });
  });
}
