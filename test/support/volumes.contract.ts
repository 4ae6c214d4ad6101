import type { Volumes, WantedVolume } from '../../handlers';
import { EVER, hourAfter } from './builders';

/** An EC2 with no volumes in it. */
export interface VolumesWorld {
  readonly volumes: Volumes;
  /** Lets time pass, or waits for it. */
  advance(ms: number): Promise<void>;
  /** Attaches a volume to a host that lives. */
  attach(volumeId: string): Promise<void>;
}

const STRANGER = 'vol-0fffffffffffffff0';
/** EC2 needs seconds for each step; a release that takes longer than this is a defect. */
const STEPS_MAX = 60;
const PAUSE_MS = 5000;

/** What must be true of a run's volumes, whoever keeps them. */
export function volumesContract(
  name: string,
  makeWorld: () => Promise<VolumesWorld> | VolumesWorld,
): void {
  const wanted = (overrides: Partial<WantedVolume> = {}): WantedVolume => ({
    clientToken: 'r1.storage.1',
    runId: 'r1',
    zone: 'us-east-1a',
    sizeGib: 10,
    iops: 3000,
    throughputMibps: 125,
    ...overrides,
  });
  async function made({ volumes }: VolumesWorld, overrides: Partial<WantedVolume> = {}) {
    const created = await volumes.create(wanted(overrides));
    if (!created.ok) throw new Error(`a volume was refused: ${created.reason}`);
    return created.volumeId;
  }
  async function available(world: VolumesWorld, overrides: Partial<WantedVolume> = {}) {
    const volumeId = await made(world, overrides);
    await world.advance(PAUSE_MS);
    return volumeId;
  }
  /** Releases step by step; says which steps there were. */
  async function release({ volumes, advance }: VolumesWorld, runId = 'r1'): Promise<string[]> {
    const steps = new Set<string>();
    for (let count = 0; count < STEPS_MAX; count += 1) {
      const released = await volumes.release({ mayDetach: true, since: EVER, runId });
      if (released.kind === 'gone') return [...steps, 'gone'];
      steps.add(released.step);
      await advance(PAUSE_MS);
    }
    throw new Error(`${runId} has volumes after ${STEPS_MAX} steps`);
  }
  const statesOf = async ({ volumes }: VolumesWorld, ...ids: string[]) =>
    (await volumes.describe(ids)).map(({ state }) => state);

  describe(`${name} creates a volume`, () => {
    it('in the zone that was asked for', async () => {
      const { volumes } = await makeWorld();
      expect(await volumes.create(wanted({ zone: 'us-east-1b' }))).toMatchObject({
        ok: true,
        volumeId: expect.stringMatching(/^vol-[0-9a-f]{8,17}$/),
        zone: 'us-east-1b',
      });
    });

    it('once per client token, and gives the same again', async () => {
      const { volumes } = await makeWorld();
      const first = await volumes.create(wanted());
      expect(await volumes.create(wanted())).toEqual(first);
    });

    it('anew under another client token', async () => {
      const world = await makeWorld();
      const first = await made(world);
      expect(await made(world, { clientToken: 'r1.storage.2' })).not.toBe(first);
    });

    it('that becomes available after a while', async () => {
      const world = await makeWorld();
      const volumeId = await available(world);
      expect(await statesOf(world, volumeId)).toEqual(['available']);
    });
  });

  describe(`${name} describes volumes`, () => {
    it('with what handlers want to know', async () => {
      const world = await makeWorld();
      const volumeId = await available(world);
      expect(await world.volumes.describe([volumeId])).toEqual([
        { volumeId, zone: 'us-east-1a', state: 'available' },
      ]);
    });

    it('and leaves out what it does not know, without spoiling the others', async () => {
      const world = await makeWorld();
      const [a, b] = [await available(world), await available(world, { clientToken: 'b' })];
      const seen = await world.volumes.describe([a, STRANGER, b]);
      expect(seen.map(({ volumeId }) => volumeId).sort()).toEqual([a, b].sort());
    });

    it('none where none is asked for', async () => {
      const world = await makeWorld();
      await available(world);
      expect(await world.volumes.describe([])).toEqual([]);
    });

    it('as in use while a host has them', async () => {
      const world = await makeWorld();
      const volumeId = await available(world);
      await world.attach(volumeId);
      expect(await statesOf(world, volumeId)).toEqual(['in-use']);
    });
  });

  describe(`${name} releases a run's volumes`, () => {
    it('that were never made at once', async () => {
      expect(await release(await makeWorld())).toEqual(['gone']);
    });

    it('by deleting what is free', async () => {
      const world = await makeWorld();
      await available(world);
      expect(await release(world)).toEqual(['deleting', 'gone']);
    });

    it('by detaching what is attached before it deletes it', async () => {
      const world = await makeWorld();
      await world.attach(await available(world));
      expect(await release(world)).toEqual(['detaching', 'deleting', 'gone']);
    });

    it('even one that is only just being made', async () => {
      const world = await makeWorld();
      await made(world);
      expect((await release(world)).at(-1)).toBe('gone');
    });

    it('so that nothing of them is to be seen', async () => {
      const world = await makeWorld();
      const volumeId = await available(world);
      await release(world);
      expect(await world.volumes.describe([volumeId])).toEqual([]);
    });

    it('all of them, whether their ids are known or not', async () => {
      const world = await makeWorld();
      const [a, b] = [await available(world), await available(world, { clientToken: 'b' })];
      await release(world);
      expect(await world.volumes.describe([a, b])).toEqual([]);
    });

    it('and no other run’s', async () => {
      const world = await makeWorld();
      await available(world);
      const other = await available(world, { runId: 'r2', clientToken: 'r2.storage.1' });
      await release(world);
      expect(await statesOf(world, other)).toEqual(['available']);
    });

    it('and is safe to repeat at every step', async () => {
      const world = await makeWorld();
      await world.attach(await available(world));
      const steps = [];
      for (let count = 0; count < 3; count += 1) {
        steps.push(
          (await world.volumes.release({ mayDetach: true, since: EVER, runId: 'r1' })).kind,
        );
      }
      expect([steps, (await release(world)).at(-1)]).toEqual([['going', 'going', 'going'], 'gone']);
    });

    it('and says the same when they are gone', async () => {
      const world = await makeWorld();
      await available(world);
      await release(world);
      expect(await release(world)).toEqual(['gone']);
    });

    it('but takes none from a host where no container of the run was at work', async () => {
      const world = await makeWorld();
      const volumeId = await available(world);
      await world.attach(volumeId);
      const wanted = { mayDetach: false, since: EVER, runId: 'r1' };
      expect(await world.volumes.release(wanted)).toEqual({ kind: 'going', step: 'waiting' });
      await world.advance(60_000);
      expect(await statesOf(world, volumeId)).toEqual(['in-use']);
    });

    it('but none that was made before the run', async () => {
      const world = await makeWorld();
      const volumeId = await available(world);
      const [own] = await world.volumes.list();
      const since = hourAfter(own?.createdAt ?? '');
      expect(await world.volumes.release({ mayDetach: true, since, runId: 'r1' })).toEqual({
        kind: 'gone',
      });
      expect(await statesOf(world, volumeId)).toEqual(['available']);
    });

    it('but never one that its owner keeps', async () => {
      const world = await makeWorld();
      const volumeId = await available(world);
      await world.volumes.keep(volumeId);
      await release(world);
      expect(await statesOf(world, volumeId)).toEqual(['available']);
    });
  });

  describe(`${name} keeps a volume`, () => {
    it('and says that it is there', async () => {
      const world = await makeWorld();
      expect(await world.volumes.keep(await available(world))).toBe(true);
    });

    it('and is safe to repeat', async () => {
      const world = await makeWorld();
      const volumeId = await available(world);
      await world.volumes.keep(volumeId);
      expect(await world.volumes.keep(volumeId)).toBe(true);
    });

    it('that a host has', async () => {
      const world = await makeWorld();
      const volumeId = await available(world);
      await world.attach(volumeId);
      expect(await world.volumes.keep(volumeId)).toBe(true);
    });

    it('only where there is one', async () => {
      const { volumes } = await makeWorld();
      expect(await volumes.keep(STRANGER)).toBe(false);
    });

    it('only while there is one', async () => {
      const world = await makeWorld();
      const volumeId = await available(world);
      await release(world);
      expect(await world.volumes.keep(volumeId)).toBe(false);
    });
  });

  describe(`${name} lists what is ours`, () => {
    const idsIn = async ({ volumes }: VolumesWorld) =>
      (await volumes.list()).map(({ storageId }) => storageId).sort();

    it('which is nothing at first', async () => {
      expect(await (await makeWorld()).volumes.list()).toEqual([]);
    });

    it('with what it takes to judge it', async () => {
      const world = await makeWorld();
      const storageId = await available(world);
      const [found, ...others] = await world.volumes.list();
      expect([found, others]).toEqual([
        {
          ...{ storageId, kind: 'volume', runId: 'r1', sizeGib: 10 },
          createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
          pricePerHour: expect.closeTo((10 * 0.08) / 730, 9),
          ...{ isInUse: false, isKept: false },
        },
        [],
      ]);
    });

    it('every volume of every run, one that is only just being made too', async () => {
      const world = await makeWorld();
      const a = await available(world);
      const b = await made(world, { runId: 'r2', clientToken: 'r2.storage.1' });
      expect(await idsIn(world)).toEqual([a, b].sort());
    });

    it('at a price that knows what was asked for besides space', async () => {
      const world = await makeWorld();
      await available(world, { sizeGib: 500, iops: 5000, throughputMibps: 500 });
      const month = 500 * 0.08 + 2000 * 0.005 + 375 * 0.04;
      expect(await world.volumes.list()).toMatchObject([
        { pricePerHour: expect.closeTo(month / 730, 9) },
      ]);
    });

    it('as in use while a host has it', async () => {
      const world = await makeWorld();
      await world.attach(await available(world));
      expect(await world.volumes.list()).toMatchObject([{ isInUse: true }]);
    });

    it('as kept from when it is', async () => {
      const world = await makeWorld();
      await world.volumes.keep(await available(world));
      expect(await world.volumes.list()).toMatchObject([{ isKept: true }]);
    });

    it('without what is going', async () => {
      const world = await makeWorld();
      await available(world);
      await world.volumes.release({ mayDetach: true, since: EVER, runId: 'r1' });
      expect(await world.volumes.list()).toEqual([]);
    });
  });

  describe(`${name} discards a volume`, () => {
    it('that is free, and no other one of its run', async () => {
      const world = await makeWorld();
      const [a, b] = [await available(world), await available(world, { clientToken: 'b' })];
      const isDiscarded = await world.volumes.discard(a);
      await world.advance(PAUSE_MS);
      expect([isDiscarded, await statesOf(world, a, b)]).toEqual([true, ['available']]);
    });

    it('once', async () => {
      const world = await makeWorld();
      const volumeId = await available(world);
      const first = await world.volumes.discard(volumeId);
      const second = await world.volumes.discard(volumeId);
      await world.advance(PAUSE_MS);
      expect([first, second, await world.volumes.discard(volumeId)]).toEqual([true, false, false]);
    });

    it('but never one that a host has', async () => {
      const world = await makeWorld();
      const volumeId = await available(world);
      await world.attach(volumeId);
      const isDiscarded = await world.volumes.discard(volumeId);
      await world.advance(PAUSE_MS);
      expect([isDiscarded, await statesOf(world, volumeId)]).toEqual([false, ['in-use']]);
    });

    it('but never one that its owner keeps', async () => {
      const world = await makeWorld();
      const volumeId = await available(world);
      await world.volumes.keep(volumeId);
      const isDiscarded = await world.volumes.discard(volumeId);
      await world.advance(PAUSE_MS);
      expect([isDiscarded, await statesOf(world, volumeId)]).toEqual([false, ['available']]);
    });

    it('but none that is only just being made', async () => {
      const world = await makeWorld();
      const volumeId = await made(world);
      const isDiscarded = await world.volumes.discard(volumeId);
      await world.advance(PAUSE_MS);
      expect([isDiscarded, await statesOf(world, volumeId)]).toEqual([false, ['available']]);
    });

    it('only where there is one', async () => {
      const { volumes } = await makeWorld();
      expect(await volumes.discard(STRANGER)).toBe(false);
    });
  });
}
